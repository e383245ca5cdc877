"""Where alerts come from: the topics, or the files of a run folder; each goes on by itself.

A source that is read for the first time holds history: what happened before anybody asked to be
told. It is taken note of, and sent only where that is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

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


class Arrival(NamedTuple):
    """An alert state, what a person did, or neither, and where reading its source goes on."""

    alert: Alert | None
    source: str
    next: int
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
        source, at = _name(partition), f"{_name(partition)}-{record.offset}"
        if partition[0] != self._topic:
            feedback = record_in(record.value, AlertFeedback, at)
            return Arrival(None, source, after, feedback=feedback)
        is_history = record.offset < self._history[partition]
        return Arrival(record_in(record.value, Alert, at), source, after, is_history)

    def close(self) -> None:
        """Close the connection."""
        self._consumer.close(autocommit=False)


class FolderSource:
    """`alerts.jsonl` of a run folder and the feedback beside it, during a run or afterwards."""

    def __init__(self, path: Path, outbox: Outbox, from_start: bool) -> None:
        self.at_end = False
        self._outbox = outbox
        self._alerts = _File(path, outbox)
        self._feedback = _File(path.with_name(FEEDBACK_FILE), outbox)
        size = 0 if from_start else self._alerts.size
        self._history = _history_end(outbox, self._alerts.name, size)
        if self._alerts.begins_anew:
            self._forget_history()

    def read(self) -> Iterator[Arrival]:
        """The lines that the files gained."""
        said, states = self._feedback.lines(), self._alerts.lines()
        if states is None:
            self._forget_history()
        self.at_end = not said and not states
        for line, after in said or ():
            feedback = record_in(line, AlertFeedback, self._feedback.before(after))
            yield Arrival(None, self._feedback.name, after, feedback=feedback)
        for line, after in states or ():
            alert = record_in(line, Alert, self._alerts.before(after))
            yield Arrival(alert, self._alerts.name, after, after <= self._history)

    def _forget_history(self) -> None:
        """Another run has begun: its alerts are no history, after a restart of ours neither."""
        self._history = 0
        self._outbox.go_on({HISTORY + self._alerts.name: 0})

    def close(self) -> None:
        """Files are closed after each look."""


class _File:
    """A growing file, read on where the outbox was left; from its start if another is there."""

    def __init__(self, path: Path, outbox: Outbox) -> None:
        self.name = str(path.resolve())
        self.size = path.stat().st_size if path.exists() else 0
        left = outbox.position(self.name) or 0
        self.begins_anew = not _begins_line(path, left)
        self._tail = Tail(path)
        self._tail.offset = 0 if self.begins_anew else left

    def lines(self) -> list[tuple[bytes, int]] | None:
        """What it gained, each line with where the next begins; None where it begins anew."""
        after, placed = self._tail.offset, []
        try:
            lines = self._tail.read()
        except RewrittenError:
            self._tail.rewind()
            return None
        for line in lines:
            after += len(line) + 1
            placed.append((line, after))
        return placed

    def before(self, after: int) -> str:
        """Names the place of a line in messages."""
        return f"{self.name} before byte {after}"


def _begins_line(path: Path, at: int) -> bool:
    """Whether a line begins at that byte of a file, or may begin there once it grows."""
    if at == 0 or not path.exists():
        return at == 0
    with path.open("rb") as stream:
        stream.seek(at - 1)
        return stream.read(1) == b"\n"


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
