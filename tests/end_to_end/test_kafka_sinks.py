"""Writing to a real broker that is killed, paused and started again; and in transactions."""

# Long because: one broker, which takes long to start, serves all of these facts.

from __future__ import annotations

import os
import signal
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, KafkaTimeoutError

from deploy.kafka.broker import Broker
from deploy.kafka.topics import create_topics
from pipelines.settings import KafkaSink
from pipelines.sinks import kafka_sink
from schemas.records import Position, Rejection, decode
from tests.end_to_end.kafka_runs import DEADLINE_SECONDS, job, running_broker, succeed
from transforms.kafka import transactions
from transforms.kafka.cluster import Cluster
from transforms.kafka.producers import PRODUCERS, Message, deliver, send_all
from transforms.kafka.sink import WriteToKafka
from transforms.kafka.transactions import Transactions

PAUSE_SECONDS = 20.0
# kafka-python leaves the sockets of refused connections to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running_broker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture
def cluster(broker: Broker) -> Iterator[Cluster]:
    cluster = Cluster(broker.bootstrap_servers)
    PRODUCERS.join(cluster)
    yield cluster
    PRODUCERS.leave(cluster)


@pytest.fixture
def topic(broker: Broker, request: pytest.FixtureRequest) -> str:
    name = request.node.name.replace("[", "-").rstrip("]")
    create_topics(broker.bootstrap_servers, {name: {"num_partitions": 4}})
    return name


@pytest.fixture
def writer(cluster: Cluster, topic: str) -> Iterator[Transactions]:
    writer = Transactions(cluster, topic)
    yield writer
    writer.close()


def numbers(first: int, last: int) -> list[Message]:
    return [Message(str(n % 7).encode(), str(n).encode()) for n in range(first, last)]


def committed(cluster: Cluster, topic: str, *, ended: bool = True) -> Counter[tuple[bytes, bytes]]:
    """What a consumer of committed records finds: once every transaction has `ended`, or now."""
    places = [TopicPartition(topic, n) for n in range(4)]
    level = "read_uncommitted" if ended else "read_committed"
    with KafkaConsumer(**cluster.client_settings(), isolation_level=level) as consumer:
        ends = consumer.end_offsets(places)
    found: Counter[tuple[bytes, bytes]] = Counter()
    deadline = time.monotonic() + DEADLINE_SECONDS
    with KafkaConsumer(**cluster.client_settings(), isolation_level="read_committed") as consumer:
        consumer.assign(places)
        consumer.seek_to_beginning()
        while any(consumer.position(place) < ends[place] for place in places):
            assert time.monotonic() < deadline, f"{ends} were not reached"
            for records in consumer.poll(timeout_ms=200).values():
                found.update((record.key, record.value) for record in records)
    return found


def all_of(messages: list[Message]) -> Counter[tuple[bytes, bytes]]:
    return Counter((message.key, message.value) for message in messages)


@contextmanager
def paused(broker: Broker) -> Iterator[None]:
    """The broker as it is while its machine swaps: it takes connections and says nothing."""
    pid = broker.pid()
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    wakes = threading.Timer(PAUSE_SECONDS, os.kill, (pid, signal.SIGCONT))
    wakes.start()
    try:
        yield
    finally:
        wakes.join()


@contextmanager
def started_after(broker: Broker, seconds: float) -> Iterator[None]:
    """The broker comes back while the test waits for it."""
    starts = threading.Timer(seconds, broker.start)
    starts.start()
    try:
        yield
    finally:
        starts.join()


def test_open_transaction_is_seen_by_nobody_until_it_ends(
    cluster: Cluster, topic: str, writer: Transactions
) -> None:
    writer.send(numbers(0, 50), ends=False)
    before = committed(cluster, topic, ended=False)
    writer.send(numbers(50, 60), ends=True)

    assert before == Counter()
    assert committed(cluster, topic) == all_of(numbers(0, 60))


def test_aborted_transaction_is_never_seen(
    cluster: Cluster, topic: str, writer: Transactions
) -> None:
    writer.send(numbers(0, 50), ends=False)
    writer.abort()
    writer.send(numbers(100, 110), ends=True)

    assert committed(cluster, topic) == all_of(numbers(100, 110))


def test_transactions_follow_each_other_without_long_waits(
    cluster: Cluster, topic: str, writer: Transactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = Transactions(cluster, topic)
    took = usual_seconds(writer, range(21))
    monkeypatch.setattr(transactions, "BACKOFF_MS", 100)  # the client's own
    would_take = usual_seconds(usual, range(21, 42))
    usual.close()

    assert took < would_take * 2 / 3
    assert committed(cluster, topic) == all_of(numbers(0, 42))


def usual_seconds(writer: Transactions, sent: range) -> float:
    """How long a transaction takes that follows another, in the median."""
    seconds = []
    for n in sent:
        before = time.monotonic()
        writer.send(numbers(n, n + 1), ends=True)
        seconds.append(time.monotonic() - before)
    return statistics.median(seconds[1:])


def test_transaction_waits_for_a_broker_that_is_away(
    broker: Broker, cluster: Cluster, topic: str, writer: Transactions
) -> None:
    writer.send(numbers(0, 10), ends=True)
    broker.kill()
    with started_after(broker, 3):
        writer.send(numbers(10, 20), ends=True)

    assert committed(cluster, topic) == all_of(numbers(0, 20))


def test_transaction_that_lost_its_beginning_is_left_to_the_runner_and_then_seen_whole(
    broker: Broker, cluster: Cluster, topic: str, writer: Transactions
) -> None:
    writer.send(numbers(0, 10), ends=False)
    writer.close()  # as a lost connection does
    writer._parts_sent = 1
    with pytest.raises(KafkaError):
        writer.send(numbers(10, 20), ends=True)
    writer.send(numbers(0, 20), ends=True)

    assert committed(cluster, topic) == all_of(numbers(0, 20))


def test_writer_that_was_fenced_writes_its_bundle_again(
    cluster: Cluster, topic: str, writer: Transactions
) -> None:
    writer.send(numbers(0, 10), ends=True)
    twin = Transactions(cluster, topic)
    twin._id = writer._id
    twin.send(numbers(10, 20), ends=True)
    writer.send(numbers(20, 30), ends=True)
    twin.close()

    assert committed(cluster, topic) == all_of(numbers(0, 30))


@pytest.mark.parametrize("transactions", [False, True])
def test_paused_broker_delays_and_neither_drops_nor_doubles(
    broker: Broker, cluster: Cluster, topic: str, writer: Transactions, transactions: bool
) -> None:
    def write(messages: list[Message]) -> None:
        if transactions:
            writer.send(messages, ends=True)
        else:
            deliver(cluster, topic, messages)

    write(numbers(0, 500))
    with paused(broker):
        write(numbers(500, 1_000))

    assert committed(cluster, topic) == all_of(numbers(0, 1_000))


def test_a_producer_is_let_go_with_messages_in_hand(
    broker: Broker, cluster: Cluster, topic: str
) -> None:
    producer = PRODUCERS.producer_for(cluster, topic)
    send_all(producer, topic, numbers(0, 1))
    with paused(broker):
        waiting = producer.send(topic, value=b"late")
        with pytest.raises(KafkaTimeoutError):  # why it takes more than that
            producer.close(timeout=0)
        PRODUCERS.drop(cluster)
        with pytest.raises(KafkaError, match="closed forcefully"):
            waiting.get(timeout=DEADLINE_SECONDS)
    deliver(cluster, topic, numbers(1, 2))

    assert not producer._sender.is_alive()


@pytest.mark.parametrize("transactions", [False, True])
def test_bundle_is_held_while_the_broker_is_away(
    broker: Broker, cluster: Cluster, topic: str, transactions: bool
) -> None:
    taken: list[int] = []
    write: Any = WriteToKafka(cluster, topic, key_of, encode, transactions).writing()
    write.setup()
    broker.kill()

    def feed() -> None:
        write.start_bundle()
        for n in range(4_900 if transactions else 12_000):
            write.process(n)
            taken.append(n)
        write.finish_bundle()

    feeding = threading.Thread(target=feed)
    feeding.start()
    feeding.join(4)
    held = len(taken)
    broker.start()
    feeding.join(60)
    write.teardown()

    assert not feeding.is_alive()
    assert held == 4_900 if transactions else held < 5_000
    found = committed(cluster, topic)
    assert sorted(int(value) for _, value in found) == sorted(taken)
    assert transactions is False or set(found.values()) == {1}


def key_of(number: int) -> bytes:
    return str(number % 7).encode()


def encode(number: int) -> bytes:
    return str(number).encode()


def test_pipeline_writes_in_transactions(broker: Broker, topic: str, tmp_path: Path) -> None:
    arguments = ["--last=100", "--transactions", "--runner=FnApiRunner"]
    with job(broker, topic, tmp_path, *arguments, script="kafka_write_job.py") as process:
        succeed(process, tmp_path)

    assert committed(Cluster(broker.bootstrap_servers), topic).total() == 100


def letter_of(size: int) -> Rejection:
    return Rejection(
        original=b"\x00" * size,
        position=Position("posts", 2, 41),
        stage="decode",
        cause="not_json",
        detail="no JSON",
    )


@pytest.mark.parametrize("transactions", [False, True])
@pytest.mark.parametrize("largest", [1_048_588, 8 << 20])
def test_dead_letter_that_is_too_large_leaves_its_bytes_where_they_stood_and_stops_nothing(
    cluster: Cluster, topic: str, transactions: bool, largest: int
) -> None:
    letters = [letter_of(10), letter_of(1_000_000), letter_of(20)]
    settings = KafkaSink(
        bootstrap_servers=cluster.bootstrap_servers,
        topic_prefix=f"{topic}-",
        transactions=transactions,
    )
    name = f"{topic}-dead-letters"
    limit = {"max.message.bytes": str(largest)}
    create_topics(cluster, {name: {"num_partitions": 4, "configs": limit}})

    sink: Any = kafka_sink(settings, "rejections")
    writing = sink.writing()
    writing.setup()
    writing.start_bundle()
    for letter in letters:
        writing.process(letter)
    writing.finish_bundle()
    writing.teardown()

    found = [decode(value, Rejection) for _, value in committed(cluster, name).elements()]
    sizes = sorted(len(letter.original) for letter in found)
    assert sizes == ([0, 10, 20] if largest < 1_333_333 else [10, 20, 1_000_000])
    if sizes[0] == 0:
        (short,) = (letter for letter in found if not letter.original)
        assert "1,000,000 bytes, too large" in short.detail and short.cause == "not_json"
