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


def read_until_now(
    cluster: Cluster, group: str, topics: Iterable[str]
) -> Generator[tuple[str, bytes | None]]:
    """The topic and value of every record that some topics hold at this moment.

    Raises:
        KafkaUnreachableError: no broker answers.
    """
    with closing(connect(cluster, group, AT)) as consumer:
        starts, ends = bounds(consumer, find_partitions(consumer, topics))
        Loan(consumer).go_to(starts)
        while any(consumer.position(TopicPartition(*p)) < end for p, end in ends.items()):
            for place, records in consumer.poll(timeout_ms=POLL_MS).items():
                for record in records:
                    yield place.topic, record.value


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
