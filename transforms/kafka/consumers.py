"""Consumers that outlive a bundle, and the commits that tell the world how far it came."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from kafka import OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaError

from transforms.kafka.cluster import Cluster, KafkaSettingsError
from transforms.kafka.connection import connect
from transforms.kafka.group_times import Report
from transforms.kafka.offsets import Offsets, Partition

KEPT_CONSUMERS = 16  # readers of one worker, and those whose place was taken
COMMIT_EVERY_SECONDS = 1.0
COMMIT_MS = 10_000


@dataclass
class Loan:
    """A consumer in use, and where it stands once it may be used again.

    Attributes:
        consumer: the client.
        stands_at: the offsets that it would read next; None while nobody knows.
        known: every partition of its topics, as it last saw them.
        looked_at: when that was, by the monotonic clock; it has not looked before.
    """

    consumer: Any
    stands_at: Offsets | None = None
    known: tuple[Partition, ...] = ()
    looked_at: float = field(default_factory=time.monotonic)

    def go_to(self, offsets: Offsets) -> None:
        """Read on at `offsets`, and nothing else."""
        self.consumer.assign([TopicPartition(*partition) for partition in offsets])
        for partition, offset in offsets.items():
            self.consumer.seek(TopicPartition(*partition), offset)


class Consumers:
    """Consumers of this worker that wait between bundles, by the offsets they would read next.

    One that stands anywhere else than where a bundle starts is of no use to it, whatever the
    reason (a retry, another worker's work), and is closed once newer ones have come.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Any, ...], Loan] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def lend(self, cluster: Cluster, group_id: str, offsets: Offsets) -> Iterator[Loan]:
        """A consumer at `offsets`; closed after use unless the loan says where it stands."""
        with self._lock:
            kept = self._kept.pop(_place(cluster, group_id, offsets), None)
        if kept is None:
            loan = _loan_at(connect(cluster, group_id), offsets)
        else:
            loan = replace(kept, stands_at=None)
        try:
            yield loan
        finally:
            if loan.stands_at is None:
                loan.consumer.close(autocommit=False)
            else:
                self._keep(loan, _place(cluster, group_id, loan.stands_at))

    def close(self, cluster: Cluster, group_id: str) -> None:
        """Close the consumers that wait for this group."""
        with self._lock:
            places = [place for place in self._kept if place[:2] == (cluster, group_id)]
            unused = [self._kept.pop(place) for place in places]
        for loan in unused:
            loan.consumer.close(autocommit=False)

    def _keep(self, loan: Loan, place: tuple[Any, ...]) -> None:
        with self._lock:
            stale = [self._kept.pop(place)] if place in self._kept else []
            self._kept[place] = loan
            while len(self._kept) > KEPT_CONSUMERS:
                stale.append(self._kept.popitem(last=False)[1])
        for unused in stale:
            unused.consumer.close(autocommit=False)


def _place(cluster: Cluster, group_id: str, offsets: Offsets) -> tuple[Any, ...]:
    return cluster, group_id, tuple(sorted(offsets.items()))


def _loan_at(consumer: Any, offsets: Offsets) -> Loan:
    loan = Loan(consumer)
    loan.go_to(offsets)
    return loan


class Commits:
    """Commits what finished bundles reached, about once a second for each reader.

    The runner's checkpoint is what counts. A commit that fails is repeated with the next one.
    """

    def __init__(self) -> None:
        self._readers: dict[tuple[Cluster, str, int], _Committer] = {}
        self._lock = threading.Lock()

    def commit(
        self,
        reader: tuple[Cluster, str, int],
        offsets: Offsets,
        reports: Mapping[Partition, Report],
        at_once: bool = False,
    ) -> None:
        """Tell Kafka how far a reader of a group has come, `at_once` where no later bundle would.

        `reports` travel as metadata, for the group's other readers.
        """
        with self._lock:
            committer = self._readers.setdefault(reader, _Committer())
            waited = time.monotonic() - committer.sent_at
            news = dict(offsets), dict(reports)
            if news == committer.sent or (waited < COMMIT_EVERY_SECONDS and not at_once):
                return
            committer.sent_at = time.monotonic()
            try:
                committer.consumer = committer.consumer or connect(*reader[:2])
                committer.consumer.commit(_with_metadata(*news), timeout_ms=COMMIT_MS)
                committer.sent = news
            except (KafkaError, KafkaSettingsError):
                committer.drop()

    def close(self, cluster: Cluster, group_id: str) -> None:
        """Close the group's connections; a later commit opens a new one."""
        with self._lock:
            readers = [reader for reader in self._readers if reader[:2] == (cluster, group_id)]
            unused = [self._readers.pop(reader) for reader in readers]
        for committer in unused:
            committer.drop()


@dataclass
class _Committer:
    """What was last committed by a reader, and through which consumer."""

    consumer: Any = None
    sent: tuple[Offsets, Mapping[Partition, Report]] = field(default_factory=lambda: ({}, {}))
    sent_at: float = 0.0

    def drop(self) -> None:
        if self.consumer is not None:
            self.consumer.close(autocommit=False)
        self.consumer = None


def _with_metadata(offsets: Offsets, reports: Mapping[Partition, Report]) -> dict[Any, Any]:
    return {
        TopicPartition(*p): OffsetAndMetadata(offset, reports[p].as_text(), -1)
        for p, offset in offsets.items()
    }


class Ends:
    """Where the partitions of a group ended when this worker last heard; only backlogs need it."""

    def __init__(self) -> None:
        self._ends: dict[tuple[Cluster, str], dict[Partition, int]] = {}
        self._lock = threading.Lock()

    def learn(self, cluster: Cluster, group_id: str, ends: Offsets) -> None:
        """Take note of some partitions' ends."""
        with self._lock:
            known = self._ends.get((cluster, group_id), {})
            self._ends[cluster, group_id] = {**known, **ends}

    def known(self, cluster: Cluster, group_id: str) -> Offsets:
        """The ends of all partitions that were heard of."""
        return self._ends.get((cluster, group_id), {})


CONSUMERS = Consumers()
COMMITS = Commits()
ENDS = Ends()
