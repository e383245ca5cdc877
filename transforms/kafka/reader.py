"""The splittable reader: one bundle of polls at a time over all partitions."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.transforms.core import RestrictionProvider, WatermarkEstimatorProvider
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Duration
from kafka import TopicPartition
from kafka.errors import OffsetOutOfRangeError, RetriableError

from schemas.metrics import POSTS_READ, WATERMARK
from transforms.coders import StructCoder
from transforms.counters import counter, gauge
from transforms.kafka import connection
from transforms.kafka.cluster import Cluster, KafkaSettingsError, KafkaUnreachableError
from transforms.kafka.connection import Start
from transforms.kafka.consumers import COMMITS, CONSUMERS
from transforms.kafka.deliveries import EventTimeOf, deliver, stamp
from transforms.kafka.offsets import OffsetsTracker, Partition, Spans, spans_between
from transforms.kafka.partition_times import PartitionTime, PartitionTimes, PartitionWatermark

FIRST_POLL_MS = 200  # how long a bundle waits for its first post
CONFIRM_SECONDS = 1.0  # how often a silent partition is asked about
CONFIRM_MS = 2_000
RETRY = Duration(seconds=0.05)
BROKER_RETRY = Duration(seconds=1)  # a source that is down holds back, it loses nothing


@dataclass(frozen=True)
class Reading:
    """What to read and how to tell time from it."""

    cluster: Cluster
    topics: tuple[str, ...]
    group_id: str
    start: Start
    stop_at_end: bool
    event_time_of: EventTimeOf | None
    disorder_seconds: float
    allowed_lateness_seconds: float
    idle_seconds: float
    max_records_per_bundle: int


def poll(consumer: Any, spans: Spans, timeout_ms: int, max_records: int) -> Poll:
    """Wait for records before the ends of `spans`; partitions at their end are read no further.

    Raises:
        KafkaSettingsError: Kafka has dropped what was to be read next.
    """
    try:
        found = consumer.poll(timeout_ms=timeout_ms, max_records=max_records)
    except OffsetOutOfRangeError as error:
        raise KafkaSettingsError(
            f"source.kafka.start: Kafka no longer holds the offsets to go on from ({error}): "
            "retention dropped them unread, or the topic was made anew. Raise the topic's "
            "retention.ms; to go on with what is left, run with `start: earliest`"
        ) from error
    stops = spans.stops
    reached = connection.positions(consumer, spans.unread)
    for partition, stop in stops.items():
        if reached.get(partition, -1) >= stop:
            consumer.pause(TopicPartition(*partition))
            reached[partition] = stop
    records = {
        (p.topic, p.partition): [r for r in some if r.offset < stops.get(tuple(p), math.inf)]
        for p, some in found.items()
    }
    return Poll(records, reached)


class Poll(NamedTuple):
    """Records by partition, and the next offsets after them."""

    records: dict[Partition, list[Any]]
    reached: dict[Partition, int]


class ReadToEnd(beam.DoFn, RestrictionProvider, WatermarkEstimatorProvider):
    """Polls for one bundle at a time and gives the rest back to the runner."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def initial_restriction(self, element: bytes) -> Spans:
        reading = self._reading
        with connection.connect(reading.cluster, reading.group_id) as consumer:
            partitions = connection.find_partitions(consumer, reading.topics)
            starts = connection.first_offsets(consumer, partitions, reading.start)
            if not reading.stop_at_end:
                return spans_between(starts)
            return spans_between(starts, connection.first_offsets(consumer, partitions, "latest"))

    def restriction_coder(self) -> StructCoder:
        return StructCoder(Spans)

    def restriction_size(self, element: bytes, restriction: Spans) -> float:
        starts = restriction.starts
        return 1.0 + sum(max(stop - starts[p], 0) for p, stop in restriction.stops.items())

    def create_tracker(self, restriction: Spans) -> OffsetsTracker:
        return OffsetsTracker(restriction)

    def initial_estimator_state(self, element: bytes, restriction: Spans) -> PartitionTimes:
        return PartitionTimes(tuple(PartitionTime(s.topic, s.number) for s in restriction.spans))

    def estimator_state_coder(self) -> StructCoder:
        return StructCoder(PartitionTimes)

    def create_watermark_estimator(self, estimator_state: PartitionTimes) -> PartitionWatermark:
        reading = self._reading
        return PartitionWatermark(estimator_state, reading.disorder_seconds, reading.idle_seconds)

    def teardown(self) -> None:
        group = self._reading.cluster, self._reading.group_id
        CONSUMERS.close(*group)
        COMMITS.close(*group)

    def process(
        self,
        element: bytes,
        # Beam fills it by position: directly after the element.
        finalizer: Any = beam.DoFn.BundleFinalizerParam,
        tracker: Any = beam.DoFn.RestrictionParam(),
        watermark: Any = beam.DoFn.WatermarkEstimatorParam(),
    ) -> Iterator[TimestampedValue]:
        try:
            yield from self._read_bundle(finalizer, tracker, watermark)
        except (KafkaUnreachableError, RetriableError):
            tracker.defer_remainder(BROKER_RETRY)

    def _read_bundle(self, finalizer: Any, tracker: Any, watermark: Any) -> Iterator[Any]:
        reading, spans = self._reading, tracker.current_restriction()
        kafka = reading.cluster, reading.group_id
        rest, count = spans, 0
        with CONSUMERS.lend(*kafka, spans.unread) as loan:
            while rest.unread and count < reading.max_records_per_bundle:
                wait_ms = 0 if count else FIRST_POLL_MS
                found = poll(loan.consumer, rest, wait_ms, reading.max_records_per_bundle - count)
                if not tracker.try_claim(found.reached):
                    return
                yield from self._deliver(found, watermark)
                _, rest = rest.split_at({**rest.starts, **found.reached})
                count += sum(map(len, found.records.values()))
                if not found.records:
                    break
            self._confirm(loan.consumer, rest, watermark)
            _show(watermark)
            loan.stands_at = rest.unread
        finalizer.register(partial(COMMITS.commit, *kafka, rest.starts, at_once=not rest.unread))
        if rest.unread:
            tracker.defer_remainder(None if count else RETRY)

    def _deliver(self, found: Poll, watermark: Any) -> Iterator[TimestampedValue]:
        reading, now, passed = self._reading, time.time(), watermark.seconds()
        for partition, records in found.records.items():
            read = [deliver(record, reading.event_time_of) for record in records]
            watermark.observe(partition, [stated for _, stated in read])
            for delivery, _ in read:
                yield stamp(delivery, passed, reading.allowed_lateness_seconds, now)
            counter(POSTS_READ).inc(len(records))

    def _confirm(self, consumer: Any, rest: Spans, watermark: Any) -> None:
        """Set aside what is finished; ask the broker about what seems silent."""
        unread = rest.unread
        watermark.finish(partition for partition in rest.starts if partition not in unread)
        if not unread or not watermark.is_to_confirm(CONFIRM_SECONDS):
            return
        ends = connection.end_offsets(consumer, unread, CONFIRM_MS)
        watermark.confirm(partition for partition, end in ends.items() if unread[partition] >= end)


def _show(watermark: Any) -> None:
    if math.isfinite(watermark.seconds()):
        gauge(WATERMARK).set(int(watermark.seconds()))


class ReadForEver(ReadToEnd):
    """The same without an end."""

    @beam.DoFn.unbounded_per_element()
    def process(
        self,
        element: bytes,
        finalizer: Any = beam.DoFn.BundleFinalizerParam,
        tracker: Any = beam.DoFn.RestrictionParam(),
        watermark: Any = beam.DoFn.WatermarkEstimatorParam(),
    ) -> Iterator[TimestampedValue]:
        return super().process(element, finalizer, tracker, watermark)
