"""Read topics: once as far as they go now, or for as long as a process lives."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
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


class Progress:
    """How far some topics have been read, and how far they went when reading began or went on."""

    def __init__(self) -> None:
        self._next: Offsets = {}
        self._ends: Offsets = {}

    def go_on(
        self,
        consumer: Any,
        partitions: Iterable[Partition],
        start: Callable[[Partition, int, int], int] = lambda partition, first, end: first,
    ) -> None:
        """Take a consumer to where each partition was left; `start` says where a new one begins.

        Its arguments are the partition, and the first offset and the end that it has.
        """
        firsts, self._ends = bounds(consumer, partitions)
        self._next = {
            p: max(first, self._next[p]) if p in self._next else start(p, first, self._ends[p])
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
    cluster: Cluster, group: str, topics: Iterable[str]
) -> Generator[tuple[str, bytes | None]]:
    """The topic and value of every record that some topics hold at this moment.

    Raises:
        KafkaUnreachableError: no broker answers.
    """
    with closing(connect(cluster, group, AT)) as consumer:
        progress = Progress()
        progress.go_on(consumer, find_partitions(consumer, topics))
        while not progress.is_at_end:
            for place, records in consumer.poll(timeout_ms=POLL_MS).items():
                for record in records:
                    yield place.topic, record.value
            progress.note(consumer)


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
