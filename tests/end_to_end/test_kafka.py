"""Kafka in and out against a real broker, on the runners that Moodwire names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, TopicPartition

from deploy.kafka.broker import Broker
from deploy.kafka.topics import create_topics, read_topics
from tests.end_to_end.kafka_runs import (
    DEADLINE_SECONDS,
    NOON,
    everything_once,
    job,
    lines,
    newest_by_key,
    positions,
    produce,
    producer_of,
    runner_arguments,
    running_broker,
    succeed,
    until,
    write_numbers,
)
from transforms.kafka.bundles import poll
from transforms.kafka.cluster import Cluster, KafkaSettingsError
from transforms.kafka.connection import check_source
from transforms.kafka.consumers import Consumers
from transforms.kafka.offsets import spans_between

POSTS = 2_000


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running_broker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture
def topic(broker: Broker, request: pytest.FixtureRequest) -> str:
    name = request.node.name.replace("[", "-").rstrip("]")
    create_topics(broker.bootstrap_servers, {name: {"num_partitions": 4}})
    return name


@pytest.mark.parametrize("runner", ["FnApiRunner", "PrismRunner"])
def test_every_record_is_read_once_and_counted_in_its_minute(
    broker: Broker, topic: str, tmp_path: Path, runner: str
) -> None:
    produce(broker, topic, 0, POSTS)

    with job(broker, topic, tmp_path, "--stop=end", *runner_arguments(runner)) as process:
        succeed(process, tmp_path)

    assert positions(tmp_path) == everything_once(broker, topic)
    minutes = Counter((n // 60 * 60 + NOON, "x" if n % 2 else "reddit") for n in range(POSTS))
    counted = lines(tmp_path / "counts.jsonl")
    assert {(c["minute"], c["channel"]): c["posts"] for c in counted} == minutes
    assert not any(line["too_late"] for line in lines(tmp_path / "deliveries.jsonl"))


def test_reading_from_committed_offsets_goes_on_where_the_last_run_ended(
    broker: Broker, topic: str, tmp_path: Path
) -> None:
    arguments = ["--start=committed", "--stop=end", "--runner=FnApiRunner"]
    for first in (0, 200):
        produce(broker, topic, first, 200)
        with job(broker, topic, tmp_path, *arguments) as process:
            succeed(process, tmp_path)

    assert positions(tmp_path) == everything_once(broker, topic)


def test_transaction_markers_and_aborted_records_do_not_keep_a_bounded_read_from_ending(
    broker: Broker, topic: str, tmp_path: Path
) -> None:
    with producer_of(broker, transactional_id=topic) as producer:
        producer.init_transactions()
        for end in (producer.commit_transaction, producer.abort_transaction):
            producer.begin_transaction()
            for n in range(8):
                producer.send(topic, value=b"{}", partition=n % 4)
            end()

    with job(broker, topic, tmp_path, "--stop=end", "--runner=FnApiRunner") as process:
        succeed(process, tmp_path)

    assert positions(tmp_path) == Counter((n, offset) for n in range(4) for offset in (0, 1))


def test_silence_on_one_partition_does_not_hold_windows_back_and_a_restart_loses_nothing(
    broker: Broker, topic: str, tmp_path: Path
) -> None:
    with job(broker, topic, tmp_path, *runner_arguments("PrismRunner")):
        produce(broker, topic, 0, 500)
        until(lambda: positions(tmp_path).total() == 500, tmp_path / "job.log")
        until(lambda: len(lines(tmp_path / "counts.jsonl")) >= 8, tmp_path / "job.log")
        broker.kill()
        broker.start()
        produce(broker, topic, 500, 500)
        until(lambda: positions(tmp_path).total() >= 1000, tmp_path / "job.log")

        assert positions(tmp_path) == everything_once(broker, topic)


def test_offsets_that_retention_dropped_unread_are_an_error_and_not_a_gap(
    broker: Broker, topic: str
) -> None:
    produce(broker, topic, 0, 100)
    place = TopicPartition(topic, 0)
    with KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers) as admin:
        admin.delete_records({place: 5})

    spans = spans_between({(topic, 0): 0})
    with (
        Consumers().lend(Cluster(broker.bootstrap_servers), "test", spans.starts) as loan,
        pytest.raises(KafkaSettingsError, match=r"source\.kafka\.start: .*retention"),
    ):
        poll(loan.consumer, spans, 10_000, 100)


def test_missing_topic_and_absent_broker_are_said_by_the_name_of_their_setting(
    broker: Broker,
) -> None:
    with pytest.raises(KafkaSettingsError, match=r"source\.kafka\.topics: .*'no-such-topic'"):
        check_source(Cluster(broker.bootstrap_servers), ["no-such-topic"])
    with pytest.raises(KafkaSettingsError, match=r"source\.kafka\.bootstrap_servers: .*:1 "):
        check_source(Cluster("127.0.0.1:1"), ["posts"])


def test_second_run_overwrites_the_same_keys(broker: Broker, topic: str, tmp_path: Path) -> None:
    seen = []
    for _ in range(2):
        with write_numbers(broker, topic, tmp_path, 0, 100) as process:
            succeed(process, tmp_path)
        seen.append(newest_by_key(broker, topic))

    newest = {str(n % 10).encode(): str(n).encode() for n in range(90, 100)}
    assert seen == [(100, newest), (200, newest)]


def test_records_wait_for_a_broker_that_is_away(broker: Broker, topic: str, tmp_path: Path) -> None:
    broker.kill()
    with write_numbers(broker, topic, tmp_path, 0, 10) as process:
        log = tmp_path / "job.log"
        until(lambda: "next attempt in" in log.read_text(), log)
        broker.start()
        succeed(process, tmp_path)

    assert newest_by_key(broker, topic)[1] == {bytes([48 + n]): bytes([48 + n]) for n in range(10)}


def test_writing_to_a_missing_topic_names_the_setting(broker: Broker, tmp_path: Path) -> None:
    with write_numbers(broker, "no-such-topic", tmp_path, 0, 1) as process:
        assert process.wait(DEADLINE_SECONDS) != 0

    said = (tmp_path / "job.log").read_text()
    assert "sinks.kafka.topic_prefix: there is no topic 'no-such-topic'" in said


def test_declared_topics_are_created_once(broker: Broker) -> None:
    topics = read_topics(prefix="declared-")

    assert create_topics(broker.bootstrap_servers, topics) == sorted(topics)
    assert create_topics(broker.bootstrap_servers, topics) == []
