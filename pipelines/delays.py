"""How long posts, windows and alerts took: by the times at which Kafka took their records.

A topic forgets: readings by age, trends and alerts all but the newest state of a key. So what was
counted is not counted again after a restart. It travels with the commits of the exporter's group:
each commit of a partition holds what was observed in it up to there (docs/decisions/0045).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from cachetools import LRUCache
from kafka import OffsetAndMetadata, TopicPartition

from dashboards.live.histograms import Histogram, taken_up, total
from pipelines.topic_reading import POLL_MS, keep_reading
from schemas.metrics import ALERT_DELAY, READING_DELAY, TREND_DELAY, Metric
from schemas.records import AlertStatus, PaneTiming, Slice
from transforms.kafka.cluster import Cluster
from transforms.kafka.connection import bounds, connect, find_partitions, require_topics
from transforms.kafka.consumers import COMMIT_MS, Loan
from transforms.kafka.offsets import Offsets, Partition

GROUP = "moodwire-exporter"
COMMIT_SECONDS = 10.0
REMEMBERED = 20_000  # of each topic; what is written again after a crash comes soon
WHOLE_BRAND = Slice()


class Happened(NamedTuple):
    """Something that counts once under its name: when (epoch seconds), and what points to it."""

    name: str
    at: float
    labels: dict[str, str]


class _Reading(msgspec.Struct):
    channel: str
    post_id: str
    created_at: datetime


class _Trend(msgspec.Struct):
    brand: str
    slice: Slice
    window_start: datetime
    window_end: datetime
    timing: PaneTiming


class _Alert(msgspec.Struct):
    alert_id: str
    status: AlertStatus
    final: bool
    updated_at: datetime


def post_in(value: bytes) -> Happened:
    """The post of a Reading, at the time that it states."""
    found = msgspec.json.decode(value, type=_Reading)
    labels = {"channel": found.channel, "post_id": found.post_id}
    return Happened("|".join(labels.values()), found.created_at.timestamp(), labels)


def window_in(value: bytes) -> Happened | None:
    """The window of an on-time Trend at its end; of all posts of a brand, so that each counts once.

    Other panes are told for other reasons than a window's end.
    """
    found = msgspec.json.decode(value, type=_Trend)
    if found.timing != "on_time" or found.slice != WHOLE_BRAND:
        return None
    labels = {"brand": found.brand, "window_start": found.window_start.isoformat()}
    return Happened("|".join(labels.values()), found.window_end.timestamp(), labels)


def opening_in(value: bytes) -> Happened | None:
    """An alert that fires, at the end of the newest window that it rests on.

    The first state that is met is its opening. Resolution and finality wait for silence.
    """
    found = msgspec.json.decode(value, type=_Alert)
    if found.status != "firing" or found.final:
        return None
    return Happened(found.alert_id, found.updated_at.timestamp(), {"alert_id": found.alert_id})


class Kind(NamedTuple):
    """What is observed on a topic.

    Attributes:
        metric: the histogram.
        read: what happened, None where a record tells of nothing that is observed.
        knows_all: whether the topic is read from its beginning, to know what is no news; what was
            written before the committed offset counts no second time.
    """

    metric: Metric
    read: Callable[[bytes], Happened | None]
    knows_all: bool = False


KINDS: Mapping[str, Kind] = {
    "readings": Kind(READING_DELAY, post_in),
    "trends": Kind(TREND_DELAY, window_in),
    "alerts": Kind(ALERT_DELAY, opening_in, knows_all=True),
}


@dataclass
class Place:
    """How far a partition was read, from where on it counts, and what was counted."""

    next: int
    counts_from: int
    histogram: Histogram


def first_place(committed: Any, first: int, end: int, kind: Kind) -> Place:
    """Where a partition that holds [first, end) is gone on with.

    `committed` has offset and metadata of the last commit. Without one counting begins at the end:
    nobody knows what was observed before.
    """
    if committed is None:
        place = Place(end, end, Histogram(kind.metric))
    else:
        offset = min(max(committed.offset, first), end)
        place = Place(offset, offset, taken_up(kind.metric, committed.metadata))
    if kind.knows_all:
        place.next = first
    return place


@dataclass
class Delays:
    """Topics in, one histogram of each kind out; a restart goes on where it was left.

    What is written again after a crash of the run counts once, unless this was restarted between.
    """

    cluster: Cluster
    prefix: str = ""

    def __post_init__(self) -> None:
        self._known: dict[str, LRUCache[str, None]] = {n: LRUCache(REMEMBERED) for n in KINDS}
        self._places: dict[Partition, Place] = {}
        self._ends: Offsets = {}
        self._committed_at = 0.0
        self._has_read = threading.Event()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="delays", daemon=True)

    def start(self) -> None:
        """Begin to read.

        Raises:
            KafkaUnreachableError: no broker answers.
            KafkaSettingsError: a topic is missing.
        """
        with closing(connect(self.cluster, GROUP, "sinks.kafka")) as consumer:
            require_topics(consumer, self._topics(), None)
        self._thread.start()

    def close(self) -> None:
        """Put down what was counted and stop."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(10)

    def is_current(self) -> bool:
        """Whether what was there at the start has been counted: before that, less is known."""
        return self._has_read.is_set()

    def histograms(self) -> tuple[Histogram, ...]:
        """Each kind's, over all partitions."""
        with self._lock:
            return tuple(total(kind.metric, self._parts(name)) for name, kind in KINDS.items())

    def _parts(self, name: str) -> list[Histogram]:
        topic = f"{self.prefix}{name}"
        return [place.histogram for (of, _), place in self._places.items() if of == topic]

    def _topics(self) -> list[str]:
        return [f"{self.prefix}{name}" for name in KINDS]

    def _follow(self) -> None:
        keep_reading(
            self.cluster, GROUP, self._stop, self._begin, self._read_some, end=self._commit
        )

    def _begin(self, consumer: Any) -> None:
        found = find_partitions(consumer, self._topics())
        firsts, self._ends = bounds(consumer, found)
        for p in found:
            first, end = firsts[p], self._ends[p]
            if (place := self._places.get(p)) is None:
                kind = KINDS[p[0].removeprefix(self.prefix)]
                committed = consumer.committed(TopicPartition(*p), metadata=True)
                with self._lock:
                    self._places[p] = first_place(committed, first, end, kind)
            else:
                place.next = min(max(place.next, first), end)
        Loan(consumer).go_to({p: place.next for p, place in self._places.items()})

    def _read_some(self, consumer: Any) -> None:
        for where, records in consumer.poll(timeout_ms=POLL_MS).items():
            name = where.topic.removeprefix(self.prefix)
            place = self._places[where.topic, where.partition]
            with self._lock:
                for record in records:
                    self._observe(record, name, place)
        for p, place in self._places.items():
            place.next = consumer.position(TopicPartition(*p))
        if all(self._places[p].next >= end for p, end in self._ends.items()):
            self._has_read.set()
        if time.monotonic() - self._committed_at > COMMIT_SECONDS:
            self._commit(consumer)

    def _observe(self, record: Any, name: str, place: Place) -> None:
        try:
            found = KINDS[name].read(record.value or b"")
        except (msgspec.DecodeError, UnicodeDecodeError):
            return  # the page counts what cannot be read
        if found is None or found.name in self._known[name]:
            return
        self._known[name][found.name] = None
        if record.offset >= place.counts_from:
            written = record.timestamp / 1000
            place.histogram.observe(written - found.at, written, found.labels)

    def _commit(self, consumer: Any) -> None:
        """Put down what was counted, beside the offsets up to which that is."""
        offsets = {
            TopicPartition(*p): OffsetAndMetadata(place.next, place.histogram.as_text(), -1)
            for p, place in self._places.items()
            if place.next >= place.counts_from
        }
        consumer.commit(offsets, timeout_ms=COMMIT_MS)
        self._committed_at = time.monotonic()
