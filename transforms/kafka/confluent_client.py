"""The C client behind the same verbs: what readers use of kafka-python's consumer, and no more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import confluent_kafka as fast
import kafka.errors
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec
from kafka.structs import OffsetAndMetadata, OffsetAndTimestamp, TopicPartition

from transforms.kafka.access import ANSWER_MS
from transforms.kafka.cluster import Cluster
from transforms.kafka.confluent_settings import admin_settings, client_settings

PLACE: Any = OffsetSpec  # it has types in part
INTERNAL = {"__consumer_offsets", "__transaction_state"}
FILL_SECONDS = 0.01  # how long a poll waits for more than its first record
LEFT_OUT = ("_ALL_BROKERS_DOWN", "_TRANSPORT", "_TIMED_OUT", "_RESOLVE")  # it tries again itself


class Record(NamedTuple):
    """A message under the names that kafka-python's records have."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class ConfluentConsumer:
    """Reads assigned partitions by librdkafka; committed records alone, never a reset of offsets.

    Raises kafka-python's errors, so that its callers need not know which client they have.
    """

    def __init__(self, cluster: Cluster, group_id: str) -> None:
        self._settings = {
            **client_settings(cluster),
            "group.id": group_id,
            "enable.auto.commit": False,
            "auto.offset.reset": "error",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,  # tells the position behind control records
            "allow.auto.create.topics": False,
            "fetch.wait.max.ms": 100,
            "queued.max.messages.kbytes": 16_384,  # for each partition, or a backlog fills memory
            "fetch.queue.backoff.ms": 10,  # a full queue would be left alone for a second
        }
        with translated():
            self._consumer = fast.Consumer(self._settings)
        self._admin: Any = None
        self._positions: dict[Any, int] = {}
        self._is_moved = False

    def __enter__(self) -> ConfluentConsumer:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self, autocommit: bool = False) -> None:
        """Let the connection go; nothing is committed."""
        with translated():
            self._consumer.close()

    def topics(self) -> set[str]:
        """Every topic but Kafka's own."""
        with translated():
            return set(self._consumer.list_topics(timeout=ANSWER_MS / 1000).topics) - INTERNAL

    def partitions_for_topic(self, topic: str) -> set[int]:
        """The partitions' numbers."""
        with translated():
            known = self._consumer.list_topics(topic, timeout=ANSWER_MS / 1000).topics[topic]
        return set(known.partitions)

    def assign(self, partitions: Iterable[Any]) -> None:
        """Read these and nothing else, once `seek` has said from where."""
        self._positions = dict.fromkeys(partitions, 0)
        self._is_moved = True

    def seek(self, partition: Any, offset: int) -> None:
        """Read a partition on from `offset`."""
        self._positions[partition] = offset
        self._is_moved = True

    def position(self, partition: Any) -> int:
        """The next offset: past what was polled and the control records behind it."""
        return self._positions[partition]

    def pause(self, partition: Any) -> None:
        """Read no more of a partition."""
        with translated():
            self._consumer.pause([_ours(partition)])

    def poll(self, timeout_ms: int = 0, max_records: int = 500) -> dict[Any, list[Record]]:
        """Wait for the first record and take what else is there, by partition.

        Raises:
            kafka.errors.OffsetOutOfRangeError: Kafka no longer holds what comes next.
        """
        found: dict[Any, list[Record]] = {}
        for message in self._take(timeout_ms / 1000, max_records):
            partition = TopicPartition(message.topic(), message.partition())
            error = message.error()
            if error is None:
                record = _record(message)
                found.setdefault(partition, []).append(record)
                self._positions[partition] = record.offset + 1
            elif error.code() == fast.KafkaError._PARTITION_EOF:
                self._positions[partition] = max(self._positions[partition], message.offset())
            elif error.name() not in LEFT_OUT:
                raise _as_python(error, partition)
        return found

    def _take(self, timeout: float, count: int) -> list[Any]:
        """`consume` alone would wait until it has them all."""
        with translated():
            if self._is_moved:
                self._consumer.assign([_ours(p, at) for p, at in self._positions.items()])
                self._is_moved = False
            first = self._consumer.poll(timeout)
            if first is None:
                return []
            more = self._consumer.consume(count - 1, FILL_SECONDS) if count > 1 else []
            return [first, *more]

    def committed(
        self, partition: Any, metadata: bool = False, timeout_ms: int | None = None
    ) -> Any:
        """The group's committed offset, on request with its metadata; None where there is none."""
        with translated():
            (found,) = self._consumer.committed([_ours(partition)], _seconds(timeout_ms))
        if found.offset < 0:
            return None
        if not metadata:
            return found.offset
        return OffsetAndMetadata(found.offset, found.metadata or "", -1)

    def commit(self, offsets: Mapping[Any, Any], timeout_ms: int | None = None) -> None:
        """Commit offsets and return once the broker has them."""
        asked = [
            fast.TopicPartition(p.topic, p.partition, at.offset, at.metadata)
            for p, at in offsets.items()
        ]
        with translated():
            done = self._consumer.commit(offsets=asked, asynchronous=False)
        for one in done or ():
            if one.error is not None:
                raise _as_python(one.error, TopicPartition(one.topic, one.partition))

    def beginning_offsets(
        self, partitions: Collection[Any], timeout_ms: int | None = None
    ) -> dict[Any, int]:
        """The first offsets that are left."""
        found = self._list_offsets(dict.fromkeys(partitions, PLACE.earliest()), timeout_ms)
        return {p: at.offset for p, at in found.items()}

    def end_offsets(
        self, partitions: Collection[Any], timeout_ms: int | None = None
    ) -> dict[Any, int]:
        """The offsets behind the last committed records."""
        found = self._list_offsets(dict.fromkeys(partitions, PLACE.latest()), timeout_ms)
        return {p: at.offset for p, at in found.items()}

    def offsets_for_times(
        self, times: Mapping[Any, int], timeout_ms: int | None = None
    ) -> dict[Any, Any]:
        """Where the first record of a time (in milliseconds) or later lies; None behind the end."""
        asked = {p: PLACE.for_timestamp(at) for p, at in times.items()}
        return {
            p: OffsetAndTimestamp(at.offset, at.timestamp, -1) if at.offset >= 0 else None
            for p, at in self._list_offsets(asked, timeout_ms).items()
        }

    def _list_offsets(self, asked: Mapping[Any, Any], timeout_ms: int | None) -> dict[Any, Any]:
        if not asked:
            return {}
        level = fast.IsolationLevel.READ_COMMITTED
        with translated():
            self._admin = self._admin or AdminClient(admin_settings(self._settings))
            futures = self._admin.list_offsets(
                {_ours(p): spec for p, spec in asked.items()},
                isolation_level=level,
                request_timeout=_seconds(timeout_ms),
            )
            return {TopicPartition(p.topic, p.partition): f.result() for p, f in futures.items()}


def _record(message: Any) -> Record:
    kind, at = message.timestamp()
    return Record(
        message.topic(),
        message.partition(),
        message.offset(),
        at if kind else -1,
        message.key(),
        message.value(),
        message.headers() or [],
    )


def _ours(partition: Any, offset: int = fast.OFFSET_INVALID) -> Any:
    return fast.TopicPartition(partition.topic, partition.partition, offset)


def _seconds(timeout_ms: int | None) -> float:
    return (ANSWER_MS if timeout_ms is None else timeout_ms) / 1000


@contextmanager
def translated() -> Iterator[None]:
    """The C client's errors as kafka-python's."""
    try:
        yield
    except fast.KafkaException as error:
        raise _as_python(error.args[0]) from error


def _as_python(error: Any, partition: Any = None) -> Exception:
    if error.code() in (
        fast.KafkaError._AUTO_OFFSET_RESET,
        fast.KafkaError.OFFSET_OUT_OF_RANGE,
    ):
        return kafka.errors.OffsetOutOfRangeError(f"{partition}: {error.str()}")
    if error.code() > 0:
        return kafka.errors.for_code(error.code())(error.str())
    if error.name() in LEFT_OUT:
        return kafka.errors.KafkaTimeoutError(error.str())
    return kafka.errors.KafkaError(error.str())
