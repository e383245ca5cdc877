"""Read topics: once as far as they go now, or for as long as a process lives."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from typing import Any

from kafka import TopicPartition
from kafka.errors import KafkaError

from schemas.records import UNREADABLE, R, decode
from transforms.kafka.cluster import Cluster, KafkaUnreachableError
from transforms.kafka.connection import bounds, connect, find_partitions
from transforms.kafka.consumers import Loan
from transforms.kafka.offsets import Offsets, Partition
from transforms.publish import pauses

LOG = logging.getLogger(__name__)
AT = "sinks.kafka"
POLL_MS = 500
# Where to begin in a partition, of the first offset that it has and of its end.
Start = Callable[[Partition, int, int], int]


def record_in(value: bytes | None, kind: type[R], place: str) -> R | None:
    """The record in `value`, None for a tombstone and, with a warning, for what is no such."""
    if value is None:
        return None
    try:
        return decode(value, kind)
    except UNREADABLE as error:
        LOG.warning("%s holds no %s and is passed over: %s", place, kind.__name__, error)
        return None


def readable(value: bytes | None, kind: type[R]) -> Iterator[R]:
    """The record in `value`; nothing for a tombstone, or for what the page counts and shows."""
    try:
        if value:
            yield decode(value, kind)
    except UNREADABLE:
        return


def go_on_at(left: int, first: int, end: int) -> int:
    """Where to go on in a partition that was left there; at its beginning if it was made anew.

    >>> go_on_at(7, 0, 9), go_on_at(7, 8, 9), go_on_at(7, 0, 2)
    (7, 8, 0)
    """
    return max(first, left) if left <= end else first


class Progress:
    """How far some topics have been read, and how far they went when reading began or went on."""

    def __init__(self) -> None:
        self._next: Offsets = {}
        self._ends: Offsets = {}

    def go_on(
        self,
        consumer: Any,
        partitions: Iterable[Partition],
        start: Start = lambda partition, first, end: first,
    ) -> None:
        """Take a consumer to where each partition was left; `start` says where a new one begins.

        Its arguments are the partition, and the first offset and the end that it has.
        """
        firsts, self._ends = bounds(consumer, partitions)
        self._next = {
            p: go_on_at(self._next[p], first, self._ends[p])
            if p in self._next
            else start(p, first, self._ends[p])
            for p, first in firsts.items()
        }
        Loan(consumer).go_to(self._next)

    def note(self, consumer: Any) -> None:
        """Take note of where a consumer is."""
        self._next = {p: consumer.position(TopicPartition(*p)) for p in self._next}

    @property
    def is_at_end(self) -> bool:
        """Whether all that the topics held then has been read."""
        return all(self._next[p] >= end for p, end in self._ends.items())


def read_until_now(
    cluster: Cluster, group: str, topics: Iterable[str], since: Mapping[str, datetime] | None = None
) -> Generator[tuple[str, bytes | None]]:
    """The topic and value of every record that some topics hold at this moment.

    Of a topic in `since` the records that were written before that time may be left out.

    Raises:
        KafkaUnreachableError: no broker answers.
    """
    with closing(connect(cluster, group, AT)) as consumer:
        progress, partitions = Progress(), find_partitions(consumer, topics)
        progress.go_on(consumer, partitions, starts_since(consumer, partitions, since or {}))
        while not progress.is_at_end:
            for place, records in consumer.poll(timeout_ms=POLL_MS).items():
                for record in records:
                    yield place.topic, record.value
            progress.note(consumer)


def starts_since(
    consumer: Any, partitions: Iterable[Partition], since: Mapping[str, datetime]
) -> Start:
    """Where to begin to read what was written at a time or later, of the topics in `since`."""
    asked = {
        TopicPartition(topic, number): int(since[topic].timestamp() * 1000)
        for topic, number in partitions
        if topic in since
    }
    found = consumer.offsets_for_times(asked) if asked else {}
    reached = {(p.topic, p.partition): at for p, at in found.items()}

    def start(partition: Partition, first: int, end: int) -> int:
        if partition not in reached:
            return first
        at = reached[partition]
        return end if at is None else int(at.offset)

    return start


def keep_reading(
    cluster: Cluster,
    group: str,
    stop: threading.Event,
    begin: Callable[[Any], None],
    read_some: Callable[[Any], None],
    *,
    end: Callable[[Any], None] = lambda consumer: None,
) -> None:
    """Read until `stop` is set.

    Args:
        cluster: where the topics are.
        group: of the consumer.
        stop: ends it, within a poll.
        begin: takes a consumer to where reading begins, or goes on after an outage.
        read_some: one poll, and what is done with it.
        end: called once at the end with the consumer.
    """
    waits = pauses()
    while not stop.is_set():
        try:
            with closing(connect(cluster, group, AT)) as consumer:
                begin(consumer)
                while not stop.is_set():
                    read_some(consumer)
                    waits = pauses()
                return end(consumer)
        except (KafkaUnreachableError, KafkaError, OSError) as error:
            pause = next(waits)
            LOG.warning("the topics are away (%s); next attempt in %.1f s", error, pause)
            stop.wait(pause)
