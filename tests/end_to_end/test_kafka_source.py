"""Facts about the Kafka source against a real broker: where it starts, stops, and what it finds."""

# Long because: one broker, which takes long to start, serves all of these facts.

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from apache_beam.runners.sdf_utils import RestrictionTrackerView, ThreadsafeRestrictionTracker
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from deploy.kafka.broker import Broker
from deploy.kafka.topics import create_topics
from tests.end_to_end.kafka_runs import (
    DEADLINE_SECONDS,
    NOON,
    everything_once,
    job,
    lines,
    positions,
    produce,
    producer_of,
    runner_arguments,
    running_broker,
    succeed,
    until,
)
from transforms.kafka.cluster import Cluster, KafkaSettingsError
from transforms.kafka.connection import connect
from transforms.kafka.group_times import Report, read_report
from transforms.kafka.offsets import Spans
from transforms.kafka.reader import ReadForEver, find_spans
from transforms.kafka.source import ReadFromKafka

IDLE_SECONDS = 2  # of kafka_job.py
CODECS = ("gzip", "snappy", "lz4", "zstd")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running_broker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


@pytest.fixture
def topic(broker: Broker, request: pytest.FixtureRequest) -> str:
    name = request.node.name.replace("[", "-").rstrip("]")
    keep = {"retention.ms": "-1"}  # some records here are older than Kafka keeps them
    create_topics(broker.bootstrap_servers, {name: {"num_partitions": 4, "configs": keep}})
    return name


def a_source(broker: Broker, *topics: str, **options: Any) -> ReadFromKafka:
    return ReadFromKafka(Cluster(broker.bootstrap_servers), topics=topics, **options)


def spans_of(source: ReadFromKafka) -> Spans:
    with connect(source.cluster, source.group_id) as consumer:
        return find_spans(consumer, source.reading)


def write_hours(broker: Broker, topic: str) -> None:
    """Ten records an hour apart by Kafka's own time, on the first two of four partitions."""
    with producer_of(broker) as producer:
        for n in range(10):
            at = (NOON + n * 3600) * 1000
            producer.send(topic, value=b"{}", partition=n % 2, timestamp_ms=at)


def produce_at(broker: Broker, topic: str, seconds: range, *partitions: int) -> None:
    """A post for each second after noon on each of the partitions."""
    with producer_of(broker) as producer:
        for second in seconds:
            for partition in partitions:
                post = json.dumps({"n": second, "at": NOON + second}).encode()
                producer.send(topic, value=post, partition=partition)


def counted(output: Path) -> Counter[float]:
    return Counter(
        {line["minute"] - NOON: line["posts"] for line in lines(output / "counts.jsonl")}
    )


def test_times_become_the_first_offsets_at_or_after_them(broker: Broker, topic: str) -> None:
    write_hours(broker, topic)
    after_three = datetime.fromtimestamp(NOON + 3 * 3600 + 1, UTC)
    after_all = datetime.fromtimestamp(NOON + 90_000, UTC)

    spans = spans_of(a_source(broker, topic, start=after_three, stop=after_all))

    assert spans.starts == {(topic, 0): 2, (topic, 1): 2, (topic, 2): 0, (topic, 3): 0}
    assert spans.stops == {(topic, 0): 5, (topic, 1): 5, (topic, 2): 0, (topic, 3): 0}


def test_run_between_two_places_reads_exactly_what_lies_between(
    broker: Broker, topic: str, tmp_path: Path
) -> None:
    write_hours(broker, topic)
    start = repr({topic: {0: 1, 1: 0, 2: 0, 3: 0}})
    stop = datetime.fromtimestamp(NOON + 5 * 3600, UTC).isoformat()

    places = [f"--start={start}", f"--stop={stop}", "--runner=FnApiRunner"]
    with job(broker, topic, tmp_path, *places) as process:
        succeed(process, tmp_path)

    assert positions(tmp_path) == Counter({(0, 1): 1, (0, 2): 1, (1, 0): 1, (1, 1): 1})


def test_places_that_kafka_does_not_hold_are_refused_by_their_setting(
    broker: Broker, topic: str
) -> None:
    write_hours(broker, topic)
    with KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers) as admin:
        admin.delete_records({TopicPartition(topic, 0): 2})
    rest = {1: 0, 2: 0, 3: 0}

    with pytest.raises(KafkaSettingsError, match=r"source\.kafka\.start: .*/0 .* 2 to 5, 1 is out"):
        a_source(broker, topic, start={topic: {0: 1, **rest}}).check()
    with pytest.raises(KafkaSettingsError, match=r"source\.kafka\.stop: .*/0 .* 2 to 5, 6 is out"):
        a_source(broker, topic, stop={topic: {0: 6, **rest}}).check()
    with pytest.raises(KafkaSettingsError, match=r"source\.kafka\.topic_pattern: no topic matches"):
        a_source(broker, topic_pattern="no-such-.*").check()
    a_source(broker, topic, start={topic: {0: 2, **rest}}, stop="end").check()


def test_several_readers_share_the_partitions_and_read_each_record_once(
    broker: Broker, topic: str, tmp_path: Path
) -> None:
    produce(broker, topic, 0, 1_000)

    arguments = ["--readers=3", "--stop=end", "--runner=FnApiRunner"]
    with job(broker, topic, tmp_path, *arguments) as process:
        succeed(process, tmp_path)

    assert positions(tmp_path) == everything_once(broker, topic)


def test_records_of_every_codec_are_read(broker: Broker, topic: str, tmp_path: Path) -> None:
    for partition, codec in enumerate(CODECS):
        with producer_of(broker, compression_type=codec, linger_ms=50) as producer:
            for n in range(50):
                post = json.dumps({"at": NOON + n, "text": "oatmere " * 50}).encode()
                producer.send(topic, value=post, partition=partition, headers=[("odd", b"\xff")])

    with job(broker, topic, tmp_path, "--stop=end", "--runner=FnApiRunner") as process:
        succeed(process, tmp_path)

    assert positions(tmp_path) == everything_once(broker, topic)
    assert everything_once(broker, topic).total() == 200


def test_topics_and_partitions_made_while_running_are_read_from_their_first_record(
    broker: Broker, topic: str, tmp_path: Path
) -> None:
    later, log = f"{topic}-later", tmp_path / "job.log"
    pattern = [f"{topic}.*", tmp_path, "--pattern", *runner_arguments("PrismRunner")]
    with job(broker, *pattern):  # type: ignore[arg-type]  # as the shell would pass them
        produce(broker, topic, 0, 100)
        until(lambda: positions(tmp_path).total() == 100, log)
        create_topics(broker.bootstrap_servers, {later: {"num_partitions": 4}})
        with KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers) as admin:
            admin.create_partitions({topic: 6})
        produce(broker, later, 100, 100)
        produce_at(broker, topic, range(200, 300), 4, 5)
        until(lambda: positions(tmp_path).total() >= 400, log)
        read = Counter(line["position"]["topic"] for line in lines(tmp_path / "deliveries.jsonl"))

    assert read == {topic: 300, later: 100}
    assert not any(line["too_late"] for line in lines(tmp_path / "deliveries.jsonl"))


@pytest.mark.parametrize(("runner", "readers"), [("PrismRunner", 1), ("FlinkRunner", 4)])
def test_silent_partitions_hold_no_window_back_and_lose_nothing_when_they_return(
    broker: Broker, topic: str, tmp_path: Path, runner: str, readers: int
) -> None:
    log = tmp_path / "job.log"
    with job(broker, topic, tmp_path, f"--readers={readers}", *runner_arguments(runner)):
        produce_at(broker, topic, range(600), 2)
        until(lambda: positions(tmp_path).total() == 600, log)
        read_at = time.monotonic()
        until(lambda: len(counted(tmp_path)) >= 8, log)
        waited = time.monotonic() - read_at
        first = counted(tmp_path)

        produce_at(broker, topic, range(660, 661), 0, 1, 2, 3)  # the broker takes them one by one
        until(lambda: positions(tmp_path).total() == 604, log)
        produce_at(broker, topic, range(661, 1_200), 0, 1, 2, 3)
        until(lambda: positions(tmp_path).total() >= 600 + 4 * 540, log)
        until(lambda: len(counted(tmp_path)) >= 17, log)
        deliveries = lines(tmp_path / "deliveries.jsonl")
        panes = lines(tmp_path / "counts.jsonl")

    assert waited < IDLE_SECONDS + 10
    assert all(first[minute * 60] == 60 for minute in range(8))
    assert positions(tmp_path) == everything_once(broker, topic)
    assert not any(line["too_late"] for line in deliveries)
    later = [pane["posts"] for pane in panes if NOON + 660 <= pane["minute"] < NOON + 1_080]
    assert later == [240] * 7
    assert len({pane["minute"] for pane in panes}) == len(panes)  # one pane each: nothing was late


def test_commits_tell_how_far_time_came_and_what_is_silent(
    broker: Broker, topic: str, tmp_path: Path
) -> None:
    place = TopicPartition(topic, 1)

    def said() -> Report | None:
        with KafkaConsumer(bootstrap_servers=broker.bootstrap_servers, group_id="test") as consumer:
            commit = consumer.committed(place, metadata=True)
        if not commit or not commit.metadata:
            return None
        run = json.loads(commit.metadata)["run"]
        return read_report(commit, end=commit.offset, is_empty=False, run=run)

    with job(broker, topic, tmp_path, *runner_arguments("PrismRunner")):
        produce_at(broker, topic, range(10), 1)
        until(lambda: (report := said()) is not None and report.is_silent, tmp_path / "job.log")
        report = said()

    assert report is not None and report.newest == NOON + 9


class Finalizer:
    """Finishes bundles at once, as a runner does with a checkpoint."""

    def register(self, finish: Callable[[], None]) -> None:
        finish()


def read_once(reader: ReadForEver, element: bytes, spans: Spans, watermark: Any) -> Spans:
    """One bundle of a reader; what is left to it afterwards."""
    tracker = ThreadsafeRestrictionTracker(reader.create_tracker(spans))
    list(reader.process(element, Finalizer(), RestrictionTrackerView(tracker), watermark))
    status = tracker.deferred_status()
    assert status is not None
    return status[0]


def test_silent_readers_follow_the_others_through_their_commits(broker: Broker, topic: str) -> None:
    reader = ReadForEver(
        a_source(broker, topic, start="earliest", readers=4, idle_seconds=1, discover_seconds=1)
        .reading
    )  # fmt: skip
    elements = [b"0", b"1", b"2", b"3"]
    spans = {e: reader.initial_restriction(e) for e in elements}
    times = {
        e: reader.create_watermark_estimator(reader.initial_estimator_state(e, spans[e]))
        for e in elements
    }
    deadline = time.monotonic() + DEADLINE_SECONDS
    with producer_of(broker) as producer:
        while any(math.isinf(watermark.seconds()) for watermark in times.values()):
            assert time.monotonic() < deadline
            newest = time.time()
            producer.send(topic, b"{}", partition=0, timestamp_ms=int(newest * 1000))
            producer.flush()
            for e in elements:
                spans[e] = read_once(reader, e, spans[e], times[e])
    reader.teardown()

    reached = [watermark.seconds() for watermark in times.values()]
    assert [len(share.spans) for share in spans.values()] == [1, 1, 1, 1]
    assert max(reached) <= newest - 60
    assert newest - 60 - min(reached) < 15


def test_a_topic_that_is_deleted_while_running_holds_no_time_back(
    broker: Broker, topic: str
) -> None:
    gone = f"{topic}-gone"
    create_topics(broker.bootstrap_servers, {gone: {"num_partitions": 1}})
    source = ReadFromKafka(
        Cluster(broker.bootstrap_servers), topic_pattern=f"{topic}.*", idle_seconds=1
    )
    reader = ReadForEver(source.reading)
    spans = reader.initial_restriction(b"")
    watermark = reader.create_watermark_estimator(reader.initial_estimator_state(b"", spans))

    def read(until_seconds: float) -> None:
        nonlocal spans
        deadline = time.monotonic() + DEADLINE_SECONDS
        while watermark.seconds() < until_seconds - 60:
            assert time.monotonic() < deadline
            with producer_of(broker) as producer:
                now = int(time.time() * 1000)
                producer.send(topic, b"{}", partition=0, timestamp_ms=now)
                if (gone, 0) in spans.unread and not spans.unread[gone, 0]:
                    producer.send(gone, b"{}", timestamp_ms=now)
            spans = read_once(reader, b"", spans, watermark)

    read(time.time())
    with KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers) as admin:
        admin.delete_topics([gone])
    read(time.time() + 1)
    reader.teardown()

    assert spans.starts[gone, 0] > 0


def test_a_drain_ends_an_endless_reader_where_it_is_and_lets_a_bounded_one_finish(
    broker: Broker, topic: str
) -> None:
    endless, bounded = a_source(broker, topic), a_source(broker, topic, stop="end")
    reader = ReadForEver(endless.reading)

    assert reader.truncate(b"", spans_of(endless)) is None  # type: ignore[no-untyped-call]
    assert reader.truncate(b"", spans_of(bounded)) == spans_of(bounded)  # type: ignore[no-untyped-call]


def test_backlog_is_what_waits_behind_the_restriction(broker: Broker, topic: str) -> None:
    produce(broker, topic, 0, 500)
    source = a_source(broker, topic, start="earliest")
    reader = ReadForEver(source.reading)

    spans = reader.initial_restriction(b"")

    assert reader.restriction_size(b"", spans) == 501
    assert reader.create_tracker(spans).current_progress().remaining_work == 500
