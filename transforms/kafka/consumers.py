"""Consumers that outlive a bundle, and the commits that tell lag tools how far it came."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kafka import OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaError

from transforms.kafka.access import ANSWER_MS
from transforms.kafka.cluster import Cluster, KafkaSettingsError
from transforms.kafka.connection import connect
from transforms.kafka.offsets import Offsets

KEPT_CONSUMERS = 4
COMMIT_EVERY_SECONDS = 1.0


@dataclass
class Loan:
    """A consumer in use, and where it stands once it may be used again."""

    consumer: Any
    stands_at: Offsets | None = None


class Consumers:
    """Consumers of this worker that wait between bundles, by the offsets they would read next.

    One that stands anywhere else than where a bundle starts is of no use to it, whatever the
    reason (a retry, another worker's work), and is closed once newer ones have come.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def lend(self, cluster: Cluster, group_id: str, offsets: Offsets) -> Iterator[Loan]:
        """A consumer at `offsets`; closed after use unless the loan says where it stands."""
        with self._lock:
            kept = self._kept.pop(_place(cluster, group_id, offsets), None)
        loan = Loan(kept or _consumer_at(connect(cluster, group_id), offsets))
        try:
            yield loan
        finally:
            if loan.stands_at is None:
                loan.consumer.close(autocommit=False)
            else:
                self._keep(loan.consumer, _place(cluster, group_id, loan.stands_at))

    def close(self, cluster: Cluster, group_id: str) -> None:
        """Close the consumers that wait for this group."""
        with self._lock:
            places = [place for place in self._kept if place[:2] == (cluster, group_id)]
            unused = [self._kept.pop(place) for place in places]
        for consumer in unused:
            consumer.close(autocommit=False)

    def _keep(self, consumer: Any, place: tuple[Any, ...]) -> None:
        with self._lock:
            stale = [self._kept.pop(place)] if place in self._kept else []
            self._kept[place] = consumer
            while len(self._kept) > KEPT_CONSUMERS:
                stale.append(self._kept.popitem(last=False)[1])
        for unused in stale:
            unused.close(autocommit=False)


def _place(cluster: Cluster, group_id: str, offsets: Offsets) -> tuple[Any, ...]:
    return cluster, group_id, tuple(sorted(offsets.items()))


def _consumer_at(consumer: Any, offsets: Offsets) -> Any:
    consumer.assign([TopicPartition(*partition) for partition in offsets])
    for partition, offset in offsets.items():
        consumer.seek(TopicPartition(*partition), offset)
    return consumer


class Commits:
    """Commits offsets of finished bundles for lag tools, about once a second.

    The runner's checkpoint is what counts; a commit that fails is repeated with the next one.
    """

    def __init__(self) -> None:
        self._groups: dict[tuple[Cluster, str], _Group] = {}
        self._lock = threading.Lock()

    def commit(
        self, cluster: Cluster, group_id: str, offsets: Offsets, at_once: bool = False
    ) -> None:
        """Tell Kafka how far the group has read, `at_once` where no later bundle would."""
        with self._lock:
            group = self._groups.setdefault((cluster, group_id), _Group())
            waited = time.monotonic() - group.sent_at
            if offsets == group.offsets or (waited < COMMIT_EVERY_SECONDS and not at_once):
                return
            group.sent_at = time.monotonic()
            try:
                group.consumer = group.consumer or connect(cluster, group_id)
                group.consumer.commit(_with_metadata(offsets), timeout_ms=ANSWER_MS)
                group.offsets = offsets
            except (KafkaError, KafkaSettingsError):
                group.drop()

    def close(self, cluster: Cluster, group_id: str) -> None:
        """Close the group's connection; a later commit opens a new one."""
        with self._lock:
            group = self._groups.pop((cluster, group_id), None)
        if group is not None:
            group.drop()


@dataclass
class _Group:
    """What was last committed for a consumer group, and by which consumer."""

    consumer: Any = None
    offsets: Offsets | None = None
    sent_at: float = 0.0

    def drop(self) -> None:
        if self.consumer is not None:
            self.consumer.close(autocommit=False)
        self.consumer = None


def _with_metadata(offsets: Offsets) -> dict[Any, Any]:
    return {TopicPartition(*p): OffsetAndMetadata(o, "", -1) for p, o in offsets.items()}


CONSUMERS = Consumers()
COMMITS = Commits()
