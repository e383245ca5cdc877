"""Where alerts come from: the topics, or the files of a run folder; each goes on by itself.

A source that is read for the first time holds history: what happened before anybody asked to be
told. It is taken note of, and sent only where that is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from zlib import crc32

from kafka import TopicPartition

from dashboards.live.follower import RewrittenError, Tail
from pipelines.delivery.outbox import Outbox
from pipelines.run_folder import FEEDBACK_FILE
from pipelines.topic_reading import AT, POLL_MS, go_on_at, record_in
from schemas.records import Alert, AlertFeedback
from transforms.kafka.cluster import Cluster
from transforms.kafka.connection import bounds, connect, find_partitions, require_topics
from transforms.kafka.consumers import Loan
from transforms.kafka.offsets import Partition

GROUP = "moodwire-delivery"
HISTORY = "history of "  # before the name of a source: where its history ends
CHECKSUM = "checksum of "  # before the name of a file: of what was read of it


class Arrival(NamedTuple):
    """An alert state, what a person did, or neither, and where reading its source goes on."""

    alert: Alert | None
    positions: dict[str, int]
    is_history: bool = False
    feedback: AlertFeedback | None = None


class Source(Protocol):
    """Alert states in the order of each alert; `at_end` says that nothing more is there now."""

    at_end: bool

    def read(self) -> Iterator[Arrival]:
        """What came since the last call, or within a moment; feedback before alerts.

        Raises:
            OSError: the file cannot be read.
            KafkaError: Kafka is away.
        """

    def close(self) -> None:
        """Close connections."""


class TopicSource:
    """The compacted `alerts` topic and that of feedback, from where the outbox was left."""

    def __init__(
        self, cluster: Cluster, topic: str, feedback_topic: str, outbox: Outbox, from_start: bool
    ) -> None:
        self.at_end = False
        self._topic = topic
        self._consumer: Any = connect(cluster, GROUP, AT)
        require_topics(self._consumer, [topic], None)
        found = find_partitions(self._consumer, [topic, feedback_topic])
        firsts, ends = bounds(self._consumer, found)
        left = {p: outbox.position(_name(p)) or 0 for p in found}
        outbox.go_on({HISTORY + _name(p): 0 for p in found if left[p] > ends[p]})  # made anew
        self._history = {
            p: _history_end(outbox, _name(p), 0 if from_start else ends[p]) for p in found
        }
        self._next: dict[Partition, int] = {p: go_on_at(left[p], firsts[p], ends[p]) for p in found}
        Loan(self._consumer).go_to(self._next)

    def read(self) -> Iterator[Arrival]:
        """What one poll brings."""
        found = self._consumer.poll(timeout_ms=POLL_MS)
        for place in sorted(found, key=lambda place: bool(place.topic == self._topic)):
            for record in found[place]:
                yield self._arrival((place.topic, place.partition), record)
        if not found:
            places = [TopicPartition(*p) for p in self._next]
            ends = self._consumer.end_offsets(places)
            self.at_end = all(self._consumer.position(p) >= ends[p] for p in places)

    def _arrival(self, partition: Partition, record: Any) -> Arrival:
        after = self._next[partition] = record.offset + 1
        positions, at = {_name(partition): after}, f"{_name(partition)}-{record.offset}"
        if partition[0] != self._topic:
            feedback = record_in(record.value, AlertFeedback, at)
            return Arrival(None, positions, feedback=feedback)
        is_history = record.offset < self._history[partition]
        return Arrival(record_in(record.value, Alert, at), positions, is_history)

    def close(self) -> None:
        """Close the connection."""
        self._consumer.close(autocommit=False)


class FolderSource:
    """`alerts.jsonl` of a run folder and the feedback beside it, during a run or afterwards."""

    def __init__(self, path: Path, outbox: Outbox, from_start: bool) -> None:
        self.at_end = False
        self._alerts = _File(path, outbox)
        self._feedback = _File(path.with_name(FEEDBACK_FILE), outbox)
        self._outbox = outbox
        if self._alerts.is_new:
            self._begin_anew()
        size = 0 if from_start else self._alerts.size
        self._history = _history_end(outbox, self._alerts.name, size)

    def read(self) -> Iterator[Arrival]:
        """The lines that the files gained."""
        said, states = self._feedback.lines(), self._alerts.lines()
        if states is None:
            self._begin_anew()
            self._history = 0
        self.at_end = not said and not states
        for line, after, positions in said or ():
            feedback = record_in(line, AlertFeedback, self._feedback.before(after))
            yield Arrival(None, positions, feedback=feedback)
        for line, after, positions in states or ():
            alert = record_in(line, Alert, self._alerts.before(after))
            yield Arrival(alert, positions, after <= self._history)

    def close(self) -> None:
        """Files are closed after each look."""

    def _begin_anew(self) -> None:
        """Another run has begun: none of its alerts is history, also after a restart."""
        self._outbox.go_on({HISTORY + self._alerts.name: 0})


class _File:
    """A growing file, read on where the outbox was left; `is_new` if that was another file."""

    def __init__(self, path: Path, outbox: Outbox) -> None:
        self.name = str(path.resolve())
        self.size = path.stat().st_size if path.exists() else 0
        self._tail = Tail(path)
        position = outbox.position(self.name) or 0
        known = outbox.position(CHECKSUM + self.name)  # none of an outbox of version 0.2
        found = _checksum(path, position)
        self.is_new = found is None or known not in (None, found)
        self._tail.offset, self._checksum = (0, 0) if self.is_new else (position, found or 0)

    def lines(self) -> list[tuple[bytes, int, dict[str, int]]] | None:
        """What it gained: each line, where the next begins, and what the outbox is to keep.

        None where the file begins anew.
        """
        after, placed = self._tail.offset, []
        try:
            lines = self._tail.read()
        except RewrittenError:
            self._tail.rewind()
            self._checksum = 0
            return None
        for line in lines:
            after += len(line) + 1
            self._checksum = crc32(line + b"\n", self._checksum)
            placed.append((line, after, {self.name: after, CHECKSUM + self.name: self._checksum}))
        return placed

    def before(self, after: int) -> str:
        """Names the place of a line in messages."""
        return f"{self.name} before byte {after}"


def _checksum(path: Path, count: int) -> int | None:
    """Of the first bytes of a file; None where it has fewer."""
    if count == 0:
        return 0
    if not path.exists() or path.stat().st_size < count:
        return None
    with path.open("rb") as stream:
        return crc32(stream.read(count))


def _name(partition: Partition) -> str:
    topic, number = partition
    return f"{topic}-{number}"


def _history_end(outbox: Outbox, source: str, end: int) -> int:
    """Where a source ended when it was first met."""
    known = outbox.position(HISTORY + source)
    if known is not None:
        return known
    outbox.go_on({HISTORY + source: end})
    return end
