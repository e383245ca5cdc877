"""The splittable reader: one bundle of polls at a time, the rest goes back to the runner."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import apache_beam as beam
from apache_beam.transforms.core import RestrictionProvider, WatermarkEstimatorProvider
from apache_beam.utils.timestamp import Duration
from apache_beam.utils.windowed_value import WindowedValue
from kafka.errors import RetriableError

from transforms.kafka import connection
from transforms.kafka.bundles import Bundle, Reading
from transforms.kafka.cluster import KafkaUnreachableError
from transforms.kafka.consumers import COMMITS, CONSUMERS, ENDS
from transforms.kafka.group_times import GroupTime
from transforms.kafka.offsets import Offsets, OffsetsTracker, Spans, spans_between
from transforms.kafka.partition_times import PartitionTime, PartitionTimes, PartitionWatermark
from transforms.kafka.structs import MessagePackCoder

RETRY = Duration(seconds=0.05)
BROKER_RETRY = Duration(seconds=1)  # a source that is down holds back, it loses nothing


def find_spans(consumer: Any, reading: Reading, reader: int | None = None) -> Spans:
    """What a reader has to read, or all of them.

    Raises:
        KafkaSettingsError: a topic is missing, or `start` or `stop` does not fit what is there.
    """
    connection.require_topics(consumer, reading.topics, reading.topic_pattern)
    found = connection.find_partitions(consumer, reading.topics, reading.topic_pattern)
    starts = connection.first_offsets(consumer, found, reading.start)
    stops = connection.last_offsets(consumer, found, reading.stop)
    if reader is None:
        return spans_between(starts, stops)
    share = {p: offset for p, offset in starts.items() if reading.is_of(reader, p)}
    return spans_between(share, stops)


class ReadToStop(beam.DoFn, RestrictionProvider, WatermarkEstimatorProvider):
    """Reads the share of the reader whose number an element holds (none is 0), up to its stops."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def initial_restriction(self, element: bytes) -> Spans:
        group = self._reading.group
        with connection.connect(*group) as consumer:
            spans = find_spans(consumer, self._reading, int(element or b"0"))
            if spans.spans:
                ENDS.learn(*group, connection.bounds(consumer, spans.starts)[1])
            return spans

    def restriction_coder(self) -> MessagePackCoder:
        return MessagePackCoder(Spans)

    def restriction_size(self, element: bytes, restriction: Spans) -> float:
        return 1.0 + restriction.unread_records(self._ends)

    def create_tracker(self, restriction: Spans) -> OffsetsTracker:
        return OffsetsTracker(restriction, self._ends)

    def initial_estimator_state(self, element: bytes, restriction: Spans) -> PartitionTimes:
        has_others = restriction.is_endless and self._reading.readers > 1
        return PartitionTimes(
            tuple(PartitionTime(s.topic, s.number) for s in restriction.spans),
            group=GroupTime() if has_others else None,
        )

    def estimator_state_coder(self) -> MessagePackCoder:
        return MessagePackCoder(PartitionTimes)

    def create_watermark_estimator(self, estimator_state: PartitionTimes) -> PartitionWatermark:
        reading = self._reading
        return PartitionWatermark(estimator_state, reading.disorder_seconds, reading.idle_seconds)

    def teardown(self) -> None:
        CONSUMERS.close(*self._reading.group)
        COMMITS.close(*self._reading.group)

    def process(
        self,
        element: bytes,
        # Beam fills it by position: directly after the element.
        finalizer: Any = beam.DoFn.BundleFinalizerParam,
        tracker: Any = beam.DoFn.RestrictionParam(),
        watermark: Any = beam.DoFn.WatermarkEstimatorParam(),
    ) -> Iterator[WindowedValue]:
        try:
            yield from self._read_bundle(int(element or b"0"), finalizer, tracker, watermark)
        except (KafkaUnreachableError, RetriableError):
            tracker.defer_remainder(BROKER_RETRY)

    def _read_bundle(
        self, reader: int, finalizer: Any, tracker: Any, watermark: Any
    ) -> Iterator[WindowedValue]:
        reading, spans = self._reading, tracker.current_restriction()
        with CONSUMERS.lend(*reading.group, spans.unread) as loan:
            bundle = Bundle(reading, reader, loan, tracker, watermark)
            yield from bundle.elements()
            if bundle.was_split:
                return
            bundle.look_around()
        rest, reports = bundle.rest, watermark.reports(reading.run)
        finalizer.register(
            partial(COMMITS.commit, (*reading.group, reader), rest.starts, reports, rest.is_done)
        )
        if not rest.is_done:
            tracker.defer_remainder(None if bundle.count else RETRY)

    @property
    def _ends(self) -> Offsets:
        return ENDS.known(*self._reading.group)


class ReadForEver(ReadToStop):
    """The same without an end."""

    @beam.DoFn.unbounded_per_element()
    def process(
        self,
        element: bytes,
        finalizer: Any = beam.DoFn.BundleFinalizerParam,
        tracker: Any = beam.DoFn.RestrictionParam(),
        watermark: Any = beam.DoFn.WatermarkEstimatorParam(),
    ) -> Iterator[WindowedValue]:
        return super().process(element, finalizer, tracker, watermark)
