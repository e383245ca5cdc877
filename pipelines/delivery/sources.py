"""Where alerts come from: the `alerts` topic, or the file of a run folder; each goes on by itself.

A source that is read for the first time holds history: what happened before anybody asked to be
told. It is taken note of, and sent only where that is asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec
from kafka import TopicPartition

from dashboards.live.follower import RewrittenError, Tail
from pipelines.delivery.outbox import Outbox
from schemas.records import Alert, UnsupportedVersionError, decode
from transforms.kafka.cluster import Cluster
from transforms.kafka.connection import bounds, connect, find_partitions, require_topics
from transforms.kafka.consumers import Loan
from transforms.kafka.offsets import Partition

LOG = logging.getLogger(__name__)
AT = "sinks.kafka"
GROUP = "moodwire-delivery"
POLL_MS = 500
HISTORY = "history of "  # before the name of a source: where its history ends


class Arrival(NamedTuple):
    """An alert state, or None for what is no alert, and where reading its source goes on."""

    alert: Alert | None
    source: str
    next: int
    is_history: bool = False


class Source(Protocol):
    """Alert states in the order of each alert; `at_end` says that nothing more is there now."""

    at_end: bool

    def read(self) -> Iterator[Arrival]:
        """What came since the last call, or within a moment.

        Raises:
            OSError: the file cannot be read.
            KafkaError: Kafka is away.
        """

    def close(self) -> None:
        """Close connections."""


class TopicSource:
    """The compacted `alerts` topic, from where the outbox was left."""

    def __init__(self, cluster: Cluster, topic: str, outbox: Outbox, from_start: bool) -> None:
        self.at_end = False
        self._topic = topic
        self._consumer: Any = connect(cluster, GROUP, AT)
        require_topics(self._consumer, [topic], None)
        found = find_partitions(self._consumer, [topic])
        firsts, ends = bounds(self._consumer, found)
        self._history = {
            p: _history_end(outbox, _name(p), 0 if from_start else ends[p]) for p in found
        }
        self._next: dict[Partition, int] = {
            p: max(outbox.position(_name(p)) or 0, firsts[p]) for p in found
        }
        Loan(self._consumer).go_to(self._next)

    def read(self) -> Iterator[Arrival]:
        """What one poll brings."""
        found = self._consumer.poll(timeout_ms=POLL_MS)
        for place, records in found.items():
            partition = (place.topic, place.partition)
            for record in records:
                self._next[partition] = record.offset + 1
                yield Arrival(
                    _alert_in(record.value, f"{self._topic}-{place.partition}-{record.offset}"),
                    _name(partition),
                    record.offset + 1,
                    record.offset < self._history[partition],
                )
        if not found:
            places = [TopicPartition(*p) for p in self._next]
            ends = self._consumer.end_offsets(places)
            self.at_end = all(self._consumer.position(p) >= ends[p] for p in places)

    def close(self) -> None:
        """Close the connection."""
        self._consumer.close(autocommit=False)


class FolderSource:
    """`alerts.jsonl` of a run folder, while a run goes on or afterwards."""

    def __init__(self, path: Path, outbox: Outbox, from_start: bool) -> None:
        self.at_end = False
        self._name = str(path.resolve())
        self._tail = Tail(path)
        size = path.stat().st_size if path.exists() else 0
        self._history = _history_end(outbox, self._name, 0 if from_start else size)
        self._tail.offset = min(outbox.position(self._name) or 0, size)

    def read(self) -> Iterator[Arrival]:
        """The lines that the file gained."""
        before = self._tail.offset
        try:
            lines = self._tail.read()
        except RewrittenError:  # another run has begun: its alerts are no history
            self._history, before = 0, 0
            self._tail.rewind()
            lines = []
        self.at_end = not lines
        for line in lines:
            before += len(line) + 1
            alert = _alert_in(line, f"{self._name} before byte {before}")
            yield Arrival(alert, self._name, before, before <= self._history)

    def close(self) -> None:
        """Files are closed after each look."""


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


def _alert_in(value: bytes | None, place: str) -> Alert | None:
    if value is None:  # a tombstone
        return None
    try:
        return decode(value, Alert)
    except (msgspec.DecodeError, UnsupportedVersionError, UnicodeDecodeError) as error:
        LOG.warning("%s holds no alert and is passed over: %s", place, error)
        return None
