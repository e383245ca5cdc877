"""What readers ask of a Kafka client, of each client alike, against a real broker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaError, OffsetOutOfRangeError

from deploy.kafka.broker import resolve_jars
from deploy.kafka.topics import create_topics
from tests.end_to_end.loopback import only_loopback
from tests.end_to_end.secure_kafka import SecureKafka, secure_kafka
from transforms.kafka.cluster import Client, Cluster, KafkaSettingsError, KafkaUnreachableError
from transforms.kafka.connection import check_source, connect

CLIENTS: tuple[Client, ...] = ("kafka-python", "confluent")
NOON_MS = 1_767_268_800_000
# kafka-python leaves the sockets of refused and half-made connections to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <s:ResourceWarning")


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    resolve_jars()  # before the network goes
    with only_loopback(), secure_kafka(tmp_path_factory.mktemp("kafka")) as kafka:
        yield kafka


@pytest.fixture
def topic(kafka: SecureKafka, request: pytest.FixtureRequest) -> str:
    name = request.node.name.replace("[", "-").rstrip("]")
    create_topics(kafka.broker.bootstrap_servers, {name: {"num_partitions": 2}})
    return name


@pytest.fixture
def producer(kafka: SecureKafka) -> Iterator[Any]:
    with KafkaProducer(bootstrap_servers=kafka.broker.bootstrap_servers) as producer:
        yield producer


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> Client:
    chosen: Client = request.param
    return chosen


@pytest.fixture
def consumer(kafka: SecureKafka, client: Client, topic: str) -> Iterator[Any]:
    cluster = Cluster(kafka.broker.bootstrap_servers, client=client)
    with connect(cluster, f"group-{topic}") as consumer:
        yield consumer


def write(producer: Any, topic: str, count: int, partition: int = 0) -> None:
    for n in range(count):
        producer.send(
            topic, f"value {n}".encode(), f"key {n}".encode(), [("channel", b"x")], partition,
            NOON_MS + 1000 * n,
        )  # fmt: skip
    producer.flush()


def read(consumer: Any, starts: dict[Any, int], ends: dict[Any, int]) -> list[Any]:
    """All records from `starts` until the positions are at `ends`."""
    consumer.assign(list(starts))
    for partition, offset in starts.items():
        consumer.seek(partition, offset)
    found, deadline = [], time.monotonic() + 20
    while any(consumer.position(p) < end for p, end in ends.items()):
        assert time.monotonic() < deadline
        for records in consumer.poll(timeout_ms=200, max_records=7).values():
            found += records
    return found


def test_records_are_read_with_all_that_they_hold(consumer: Any, topic: str, producer: Any) -> None:
    write(producer, topic, 20)
    place = TopicPartition(topic, 0)

    found = read(consumer, {place: 5}, {place: 20})

    assert [record.offset for record in found] == list(range(5, 20))
    last = found[-1]
    assert (last.topic, last.partition, last.timestamp) == (topic, 0, NOON_MS + 19_000)
    assert (last.key, last.value) == (b"key 19", b"value 19")
    assert list(last.headers) == [("channel", b"x")]


def test_tombstone_without_key_or_headers_is_read(consumer: Any, topic: str, producer: Any) -> None:
    producer.send(topic, None, b"gone", partition=0)
    producer.send(topic, b"", partition=0)
    producer.flush()
    place = TopicPartition(topic, 0)

    found = read(consumer, {place: 0}, {place: 2})

    assert [(r.key, r.value) for r in found] == [(b"gone", None), (None, b"")]
    assert not any(record.headers for record in found)


def test_no_more_are_taken_than_asked_for(consumer: Any, topic: str, producer: Any) -> None:
    write(producer, topic, 50)
    place = TopicPartition(topic, 0)
    consumer.assign([place])
    consumer.seek(place, 0)
    sizes: list[int] = []
    while sum(sizes) < 50:
        sizes.append(sum(map(len, consumer.poll(timeout_ms=500, max_records=7).values())))

    assert max(sizes) == 7


def test_first_record_is_not_held_back_for_more(consumer: Any, topic: str, producer: Any) -> None:
    place = TopicPartition(topic, 0)
    consumer.assign([place])
    consumer.seek(place, 0)
    consumer.poll(timeout_ms=2_000)
    write(producer, topic, 1)
    before = time.monotonic()
    while not consumer.poll(timeout_ms=10_000, max_records=500):
        pass

    assert time.monotonic() - before < 5


def test_position_passes_control_records_and_aborted_ones(
    kafka: SecureKafka, consumer: Any, topic: str
) -> None:
    with KafkaProducer(
        bootstrap_servers=kafka.broker.bootstrap_servers, transactional_id=topic
    ) as producer:
        producer.init_transactions()
        for end in (producer.commit_transaction, producer.abort_transaction):
            producer.begin_transaction()
            producer.send(topic, end.__name__.encode(), partition=0)
            producer.flush()  # what was not sent yet, an abort forgets
            end()
    place = TopicPartition(topic, 0)
    deadline = time.monotonic() + 20
    while consumer.end_offsets([place]) != {place: 4}:  # markers are written after the commit
        assert time.monotonic() < deadline

    found = read(consumer, {place: 0}, {place: 4})

    assert [record.value for record in found] == [b"commit_transaction"]


def test_end_is_where_an_open_transaction_begins(
    kafka: SecureKafka, consumer: Any, topic: str, producer: Any
) -> None:
    write(producer, topic, 3)
    with KafkaProducer(
        bootstrap_servers=kafka.broker.bootstrap_servers, transactional_id=topic
    ) as writer:
        writer.init_transactions()
        writer.begin_transaction()
        writer.send(topic, b"open", partition=0)
        writer.flush()

        assert consumer.end_offsets([TopicPartition(topic, 0)]) == {TopicPartition(topic, 0): 3}
        writer.abort_transaction()


def test_paused_partition_is_not_read(consumer: Any, topic: str, producer: Any) -> None:
    places = [TopicPartition(topic, n) for n in (0, 1)]
    write(producer, topic, 5, partition=0)
    read(consumer, dict.fromkeys(places, 0), {places[0]: 5})
    consumer.pause(places[0])
    write(producer, topic, 5, partition=0)
    write(producer, topic, 5, partition=1)
    seen, deadline = set(), time.monotonic() + 20
    while consumer.position(places[1]) < 5:
        assert time.monotonic() < deadline
        seen |= set(consumer.poll(timeout_ms=200))

    assert seen == {places[1]}
    assert consumer.position(places[0]) == 5


def test_partitions_can_be_exchanged_while_reading(
    consumer: Any, topic: str, producer: Any
) -> None:
    one, other = (TopicPartition(topic, n) for n in (0, 1))
    write(producer, topic, 10, partition=0)
    write(producer, topic, 10, partition=1)

    first = read(consumer, {one: 0}, {one: 10})
    both = read(consumer, {one: 8, other: 4}, {one: 10, other: 10})

    assert len(first) == 10
    assert sorted((r.partition, r.offset) for r in both) == [
        (0, 8), (0, 9), *((1, n) for n in range(4, 10)),
    ]  # fmt: skip


def test_topics_bounds_and_times_are_known(consumer: Any, topic: str, producer: Any) -> None:
    write(producer, topic, 10)
    one, empty = (TopicPartition(topic, n) for n in (0, 1))

    assert topic in consumer.topics()
    assert not {name for name in consumer.topics() if name.startswith("__")}
    assert set(consumer.partitions_for_topic(topic)) == {0, 1}
    assert consumer.beginning_offsets([one, empty]) == {one: 0, empty: 0}
    assert consumer.end_offsets([one, empty], timeout_ms=5_000) == {one: 10, empty: 0}
    found = consumer.offsets_for_times({one: NOON_MS + 6_500, empty: NOON_MS})
    assert found[one].offset == 7 and found[empty] is None


def test_commits_are_kept_with_their_metadata(consumer: Any, topic: str) -> None:
    one, other = (TopicPartition(topic, n) for n in (0, 1))

    consumer.commit({one: OffsetAndMetadata(3, "at noon", -1)}, timeout_ms=5_000)

    assert consumer.committed(one) == 3
    assert consumer.committed(other) is None
    kept = consumer.committed(one, metadata=True, timeout_ms=5_000)
    assert (kept.offset, kept.metadata) == (3, "at noon")


@pytest.mark.parametrize("beyond", [False, True])
def test_offset_out_of_range_is_an_error_and_never_a_jump(
    kafka: SecureKafka, consumer: Any, topic: str, producer: Any, beyond: bool
) -> None:
    write(producer, topic, 10)
    place = TopicPartition(topic, 0)
    with KafkaAdminClient(bootstrap_servers=kafka.broker.bootstrap_servers) as admin:
        admin.delete_records({place: 5})
    start = 100 if beyond else 0

    with pytest.raises(OffsetOutOfRangeError):
        read(consumer, {place: start}, {place: start + 5})


def test_broker_that_comes_back_is_read_on(kafka: SecureKafka, consumer: Any, topic: str) -> None:
    place = TopicPartition(topic, 0)
    with KafkaProducer(bootstrap_servers=kafka.broker.bootstrap_servers) as producer:
        write(producer, topic, 5)
    read(consumer, {place: 0}, {place: 5})
    kafka.broker.kill()
    with pytest.raises(KafkaError):
        consumer.end_offsets([place], timeout_ms=1_000)
    consumer.poll(timeout_ms=500)
    kafka.broker.start()
    with KafkaProducer(bootstrap_servers=kafka.broker.bootstrap_servers) as producer:
        write(producer, topic, 5)
    found: list[Any] = []
    deadline = time.monotonic() + 60
    while len(found) < 5:
        assert time.monotonic() < deadline
        found += [r for records in consumer.poll(timeout_ms=200).values() for r in records]

    assert [record.offset for record in found] == [5, 6, 7, 8, 9]


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512", "OAUTHBEARER"])
def test_login_reads(kafka: SecureKafka, client: Client, topic: str, mechanism: str) -> None:
    secure = kafka.login(mechanism)
    with KafkaProducer(bootstrap_servers=kafka.broker.bootstrap_servers) as producer:
        write(producer, topic, 3)
    place = TopicPartition(topic, 0)
    with connect(Cluster(secure.bootstrap_servers, secure.security, client), "g") as consumer:
        ends = consumer.end_offsets([place])

        assert len(read(consumer, {place: 0}, ends)) == 3


def test_client_certificate_reads(kafka: SecureKafka, client: Client, topic: str) -> None:
    secure = kafka.at("mutual", cert_file=kafka.pem("client"))

    check_source(Cluster(secure.bootstrap_servers, secure.security, client), [topic])


def test_refusals_name_the_setting(kafka: SecureKafka, client: Client) -> None:
    secure = kafka.login("PLAIN", password="a-wrong-password")
    cluster = Cluster(secure.bootstrap_servers, secure.security, client)

    with pytest.raises(KafkaSettingsError, match=r"source\.kafka\.security\.password"):
        check_source(cluster, ["posts"])
    with pytest.raises(KafkaUnreachableError, match=r"source\.kafka\.bootstrap_servers"):
        check_source(Cluster("127.0.0.1:1", client=client), ["posts"])
