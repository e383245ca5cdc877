"""One bundle of a reader: polls, then a look at what is silent, new, or told by other readers."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from apache_beam.utils.windowed_value import WindowedValue
from kafka import TopicPartition
from kafka.errors import OffsetOutOfRangeError

from transforms.kafka import connection
from transforms.kafka.cluster import Cluster, KafkaSettingsError
from transforms.kafka.consumers import ENDS, Loan
from transforms.kafka.metrics import MetricNames
from transforms.kafka.offsets import Partition, Spans, reader_of
from transforms.kafka.records import Build, MarkLate, stamp
from transforms.kafka.starts import Start, Stop

FIRST_POLL_MS = 200  # how long a bundle waits for its first record
NEXT_POLL_MS = 10  # and for further ones: a new bundle takes longer than the next fetch
POLL_RECORDS = 2_000  # more at once leave the processor's caches
CONFIRM_SECONDS = 1.0  # how often a silent partition, or a silent reader's group, is asked about
CONFIRM_MS = 2_000


@dataclass(frozen=True)
class Reading:
    """What to read and how to tell time from it."""

    cluster: Cluster
    topics: tuple[str, ...]
    topic_pattern: str | None
    group_id: str
    start: Start
    stop: Stop
    build: Build[Any]
    mark_late: MarkLate[Any] | None
    disorder_seconds: float
    allowed_lateness_seconds: float
    idle_seconds: float
    discover_seconds: float
    readers: int
    max_records_per_bundle: int
    max_seconds_per_bundle: float
    metrics: MetricNames
    run: str

    @property
    def group(self) -> tuple[Cluster, str]:
        """The consumer group whose offsets are committed."""
        return self.cluster, self.group_id

    def is_of(self, reader: int, partition: Partition) -> bool:
        """Whether a partition belongs to that reader."""
        return reader_of(partition, self.readers) == reader


class Poll(NamedTuple):
    """Records by partition, and the next offsets after them."""

    records: dict[Partition, list[Any]]
    reached: dict[Partition, int]


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
    records = {(p.topic, p.partition): some for p, some in found.items()}
    for partition in records.keys() & stops.keys():
        end = stops[partition]
        records[partition] = [r for r in records[partition] if r.offset < end]
    return Poll(records, reached)


class Bundle:
    """Reads on until a bundle is full or nothing more is there.

    Attributes:
        rest: what is left to read.
        count: how many records were read.
        was_split: the runner has given the rest away already; nothing more may be done.
    """

    def __init__(
        self, reading: Reading, reader: int, loan: Loan, tracker: Any, watermark: Any
    ) -> None:
        self._reading = reading
        self._reader = reader
        self._loan = loan
        self._tracker = tracker
        self._watermark = watermark
        self.rest: Spans = tracker.current_restriction()
        self.count = 0
        self.was_split = False
        self._until = time.monotonic() + reading.max_seconds_per_bundle

    def elements(self) -> Iterator[WindowedValue]:
        """The elements of the bundle's records, in the order of each partition."""
        most = self._reading.max_records_per_bundle
        while self.rest.unread and self.count < most and not self._is_long:
            wait_ms = NEXT_POLL_MS if self.count else FIRST_POLL_MS
            at_once = min(POLL_RECORDS, most - self.count)
            found = poll(self._loan.consumer, self.rest, wait_ms, at_once)
            if not self._tracker.try_claim(found.reached):
                self.was_split = True
                return
            yield from self._deliver(found)
            self.rest = self.rest.after(found.reached)
            if not found.records and not self._is_whole:
                return

    @property
    def _is_long(self) -> bool:
        """Whether it has lasted long enough, the stages behind it included."""
        return not self._is_whole and time.monotonic() >= self._until

    @property
    def _is_whole(self) -> bool:
        """Whether all up to the stops belongs to this bundle, however long Kafka takes."""
        is_unlimited = self._reading.max_records_per_bundle == sys.maxsize
        return is_unlimited and not self.rest.is_endless

    def _deliver(self, found: Poll) -> Iterator[WindowedValue]:
        reading, passed, before = self._reading, self._watermark.seconds(), self.count
        for partition, records in found.records.items():
            built = [reading.build(record) for record in records]
            self._watermark.observe(partition, [stated for _, stated in built])
            lateness = reading.allowed_lateness_seconds
            yield from stamp(records, built, passed, lateness, reading.mark_late)
            self.count += len(records)
        if self.count > before:
            reading.metrics.count_read(self.count - before)

    def look_around(self) -> None:
        """Find out what is silent, what is new and what other readers have reached."""
        is_answered = self._confirm()
        if self.rest.is_endless:
            waited = time.monotonic() - self._loan.looked_at
            if is_answered and waited >= self._reading.discover_seconds:
                self._discover()
            if self._watermark.is_to_hear(CONFIRM_SECONDS):
                self._hear()
        self._reading.metrics.show_watermark(self._watermark.seconds())
        lag = self.rest.unread_records(ENDS.known(*self._reading.group))
        self._reading.metrics.show_lag(lag)
        if not self.was_split:
            self._loan.stands_at = self.rest.unread

    def _confirm(self) -> bool:
        """Set aside what is finished; ask the broker about what seems silent.

        Returns whether the broker is there, as far as is known: without an answer from it, a
        look for new partitions would wait for long.
        """
        unread = self.rest.unread
        self._watermark.finish(p for p in self.rest.starts if p not in unread)
        if not unread or not self._watermark.is_to_confirm(CONFIRM_SECONDS):
            return not unread
        ends = connection.end_offsets(self._loan.consumer, unread, CONFIRM_MS)
        if ends is None:
            self._watermark.confirm(None)
            return False
        ENDS.learn(*self._reading.group, ends)
        # Nothing will come of a topic that was deleted.
        self._watermark.confirm(p for p, next in unread.items() if next >= ends.get(p, 0))
        return True

    def _look(self) -> tuple[Partition, ...]:
        """Every partition of the topics, asked of the broker now."""
        reading, loan = self._reading, self._loan
        found = connection.find_partitions(loan.consumer, reading.topics, reading.topic_pattern)
        loan.known, loan.looked_at = tuple(found), time.monotonic()
        return loan.known

    def _discover(self) -> None:
        """Take in new partitions of this reader's share, from their first record on."""
        share = {p for p in self._look() if self._reading.is_of(self._reader, p)}
        new = share - self.rest.starts.keys()
        if not new:
            return
        firsts, ends = connection.bounds(self._loan.consumer, new)
        # Before the claim: a runner may split right after it, and hands on the times as they are.
        self._watermark.join({p: firsts[p] >= ends[p] for p in new})
        if not self._tracker.try_claim(firsts):
            self.was_split = True
            return
        ENDS.learn(*self._reading.group, ends)
        self.rest = self.rest.after(firsts)
        self._loan.go_to(self.rest.unread)

    def _hear(self) -> None:
        known = self._loan.known or self._look()
        others = [p for p in known if not self._reading.is_of(self._reader, p)]
        consumer, run = self._loan.consumer, self._reading.run
        self._watermark.hear(connection.hear_group(consumer, others, run, CONFIRM_MS))
