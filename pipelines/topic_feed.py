"""What a run publishes to Kafka topics, as the live page and the exporter follow it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
from cachetools import LRUCache

from dashboards.live.state import STALLED_AFTER_SECONDS, Run, State, Status
from dashboards.live.windows import Windows
from pipelines.delays import Delays
from pipelines.topic_reading import POLL_MS, Progress, keep_reading
from schemas.metrics import WATERMARK
from schemas.records import (
    UNREADABLE,
    Alert,
    AlertFeedback,
    Media,
    Rejection,
    Rollup,
    Topic,
    Trend,
    decode,
)
from transforms.kafka.cluster import Cluster
from transforms.kafka.connection import connect, find_partitions, require_topics
from transforms.kafka.offsets import Partition

GROUP = "moodwire-page"  # commits nothing: each start reads what is there
COUNTERS_SECONDS = 2.0
WAITING_RECORDS = 5_000  # read and not yet folded in; bounds what is held in memory
FOLDED_AT_ONCE = 2_000
MEDIA_BYTES = 64 * 2**20
DEAD_LETTERS = 2_000  # of the newest, of each partition
Kind = type[Trend] | type[Alert] | type[AlertFeedback] | type[Topic] | type[Rejection] | type[Media]
OPTIONAL = {"alert-feedback", "rollups", "topics"}  # an older stack lacks them
FOR_PEOPLE = {"rollups", "topics", "media"}  # not needed for metrics
KINDS: dict[str, Kind] = {
    "trends": Trend,
    "rollups": Rollup,
    "alerts": Alert,
    "alert-feedback": AlertFeedback,
    "topics": Topic,
    "dead-letters": Rejection,
    "media": Media,
}


class Counted(NamedTuple):
    """Counters of the run by sample name, and whether it goes on."""

    values: Mapping[str, int]
    is_running: bool


ReadCounters = Callable[[], Counted | None]


@dataclass
class TopicFeed:
    """Topics in, one state kept up to date: what the run folder is to a run on this machine.

    A thread reads from the topics' beginning, so that a restart knows all again; an outage of
    Kafka delays it and loses nothing. Memory is bounded: the state bounds itself, renditions are
    the most recently used, of dead letters the newest count.

    Attributes:
        cluster: where the topics are.
        prefix: before the name of each topic.
        title: of the page.
        read_counters: asks the engine for the run's counters; None where it cannot be asked.
        delays: how long what the topics hold took; they are started and closed with the feed.
        for_metrics: whether nobody looks at more than metrics, so that less need be kept.
        clock: in seconds; an engine that has not answered for half a minute is said to be silent.
    """

    cluster: Cluster
    prefix: str = ""
    title: str = "Moodwire"
    read_counters: ReadCounters = lambda: None
    delays: Delays | None = None
    for_metrics: bool = False
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self.state = State()
        self.state.windows = Windows(self.for_metrics)
        self._waiting: queue.Queue[Any] = queue.Queue(WAITING_RECORDS)
        self._renditions: LRUCache[str, bytes] = LRUCache(MEDIA_BYTES, getsizeof=len)
        self._renditions_lock = threading.Lock()  # a search asks for them on threads of its own
        self._counted: Counted | None = None
        self._counted_at = 0.0
        self._folded: Counted | None = None
        self._knows_delays = self.delays is None
        self._unreadable = 0
        self._progress = Progress()
        self._has_read = threading.Event()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._read, self._count)
        ]

    def start(self) -> None:
        """Begin to read.

        Raises:
            KafkaUnreachableError: no broker answers.
            KafkaSettingsError: a topic is missing.
        """
        with closing(connect(self.cluster, GROUP, "sinks.kafka")) as consumer:
            optional = {f"{self.prefix}{name}" for name in OPTIONAL}
            needed = [topic for topic in self._topics() if topic not in optional]
            require_topics(consumer, needed, None)
        if self.delays is not None:
            self.delays.start()
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop reading."""
        if self.delays is not None:
            self.delays.close()
        self._stop.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(10)

    def poll(self) -> bool:
        """Fold in what has been read, without waiting; whether more waits."""
        for _ in range(FOLDED_AT_ONCE):
            try:
                record = self._waiting.get_nowait()
            except queue.Empty:
                break
            if isinstance(record, Media):
                with self._renditions_lock:
                    self._renditions[record.sha256] = record.rendition
            else:
                self.state.fold(record)
        counted = self._counted
        if counted is not None and counted is not self._folded:
            self.state.fold_counters(counted.values)
            self._folded = counted
        if self.delays is not None:
            self._knows_delays = self.delays.is_current()  # asked first: it grows meanwhile
            self.state.histograms = self.delays.histograms()
        self.state.set_run(self._run(counted))
        return not self._waiting.empty()

    def is_current(self) -> bool:
        """Whether all that the topics held at the start has been folded in."""
        return self._knows_delays and self._has_read.is_set() and self._waiting.empty()

    def rendition(self, sha256: str) -> bytes | None:
        """A rendition of the media topic, if it is among those used or published last."""
        with self._renditions_lock:
            return self._renditions.get(sha256)

    def _run(self, counted: Counted | None) -> Run:
        return Run(
            title=self.title,
            status=self._status(counted) if self.state.version or counted else "waiting",
            watermark=counted and counted.values.get(WATERMARK.name),
            unreadable_lines=self._unreadable,
        )

    def _status(self, counted: Counted | None) -> Status:
        if counted is None:
            return "running"  # as far as the topics tell
        if not counted.is_running:
            return "ended"
        is_silent = self.clock() - self._counted_at > STALLED_AFTER_SECONDS
        return "stalled" if is_silent else "running"

    def _topics(self) -> list[str]:
        names = [name for name in KINDS if name not in FOR_PEOPLE or not self.for_metrics]
        return [f"{self.prefix}{name}" for name in names]

    def _read(self) -> None:
        keep_reading(self.cluster, GROUP, self._stop, self._go_on, self._read_some)

    def _go_on(self, consumer: Any) -> None:
        """Where it was, or at the beginning; of dead letters near the end."""
        rejected = f"{self.prefix}dead-letters"

        def start(partition: Partition, first: int, end: int) -> int:
            return max(first, end - DEAD_LETTERS) if partition[0] == rejected else first

        self._progress.go_on(consumer, find_partitions(consumer, self._topics()), start)

    def _read_some(self, consumer: Any) -> None:
        for place, records in consumer.poll(timeout_ms=POLL_MS).items():
            kind = KINDS[place.topic.removeprefix(self.prefix)]
            for record in records:
                self._hand_over(record.value, kind)
        self._progress.note(consumer)
        if self._progress.is_at_end:
            self._has_read.set()

    def _hand_over(self, value: bytes | None, kind: Any) -> None:
        if value is None:  # a tombstone
            return
        try:
            record = (
                msgspec.json.decode(value, type=Media) if kind is Media else decode(value, kind)
            )
        except UNREADABLE:
            self._unreadable += 1  # shown on the page
            return
        while not self._stop.is_set():
            try:
                return self._waiting.put(record, timeout=1)
            except queue.Full:
                continue

    def ask(self) -> None:
        """Ask the engine for counters; what it said last is kept while it does not answer."""
        counted = self.read_counters()
        if counted is not None:
            self._counted, self._counted_at = counted, self.clock()

    def _count(self) -> None:
        while not self._stop.is_set():
            started = time.monotonic()
            self.ask()
            self._stop.wait(max(0.0, COUNTERS_SECONDS - (time.monotonic() - started)))
