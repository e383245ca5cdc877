"""What Kafka holds, and where reading it starts."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Any, Literal

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from transforms.kafka.offsets import Offsets, Partition

Start = Literal["committed", "earliest", "latest"]
RECONNECT_MS = 1_000  # how long a client may leave a broker alone that came back
ANSWER_MS = 10_000  # how long a broker may take to answer before it counts as unreachable


class KafkaSettingsError(ValueError):
    """Kafka cannot be used as configured; the message names the setting and the remedy."""


class KafkaUnreachableError(KafkaSettingsError):
    """No broker answers."""


def require_listener(bootstrap_servers: str, setting: str) -> None:
    """Fail at once where nobody listens: a Kafka client would try for long and leave its thread.

    Raises:
        KafkaUnreachableError: none of the addresses takes connections.
    """
    refusals = [_refusal(address.strip()) for address in bootstrap_servers.split(",")]
    if all(refusals):
        raise KafkaUnreachableError(
            f"{setting}: no Kafka answers at {bootstrap_servers} ({refusals[0]}). "
            "Start it (python -m deploy.kafka.broker start) or correct the address"
        )


def _refusal(address: str) -> str | None:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_MS / 1000).close()
    except (OSError, ValueError) as error:
        return str(error)
    return None


def connect(bootstrap_servers: str, group_id: str) -> Any:
    """A consumer without partitions.

    Raises:
        KafkaUnreachableError: no broker answers.
    """
    setting = "source.kafka.bootstrap_servers"
    require_listener(bootstrap_servers, setting)
    try:
        return KafkaConsumer(
            bootstrap_servers=bootstrap_servers,
            group_id=group_id,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            allow_auto_create_topics=False,
            bootstrap_timeout_ms=ANSWER_MS,
            reconnect_backoff_max_ms=RECONNECT_MS,
        )
    except (KafkaError, OSError) as error:
        raise KafkaUnreachableError(
            f"{setting}: what listens at {bootstrap_servers} does not answer as Kafka ({error})"
        ) from error


def find_partitions(consumer: Any, topics: Iterable[str]) -> list[Partition]:
    """Every partition of `topics`.

    Raises:
        KafkaSettingsError: a topic does not exist.
    """
    present = consumer.topics()
    for topic in topics:
        if topic not in present:
            known = ", ".join(sorted(present)) or "none"
            raise KafkaSettingsError(
                f"source.kafka.topics: there is no topic {topic!r} (there are: {known}). "
                "Create it (python -m deploy.kafka.topics create) or correct the name"
            )
    return sorted((topic, n) for topic in topics for n in consumer.partitions_for_topic(topic))


def check_source(bootstrap_servers: str, topics: Iterable[str], group_id: str = "moodwire") -> None:
    """Fail before a pipeline starts if its Kafka source cannot be read.

    Raises:
        KafkaSettingsError: no broker answers or a topic does not exist.
    """
    with connect(bootstrap_servers, group_id) as consumer:
        find_partitions(consumer, topics)


def first_offsets(consumer: Any, partitions: Iterable[Partition], start: Start) -> Offsets:
    """Where reading starts; a committed offset that has expired becomes the earliest one left."""
    asked = [TopicPartition(*partition) for partition in partitions]
    earliest = consumer.beginning_offsets(asked)
    latest = consumer.end_offsets(asked)
    if start != "committed":
        return _plain(earliest if start == "earliest" else latest)
    committed = {p: consumer.committed(p) for p in asked}
    return _plain({p: min(max(committed[p] or 0, earliest[p]), latest[p]) for p in asked})


def end_offsets(consumer: Any, partitions: Iterable[Partition], timeout_ms: int) -> Offsets:
    """The high watermarks, asked of the broker now; empty where it does not answer."""
    try:
        found = consumer.end_offsets([TopicPartition(*p) for p in partitions], timeout_ms)
    except KafkaError:
        return {}
    return _plain(found)


def positions(consumer: Any, partitions: Iterable[Partition]) -> dict[Partition, int]:
    """The next offset of each partition: past what was polled, control records and gaps."""
    return {p: consumer.position(TopicPartition(*p)) for p in partitions}


def _plain(offsets: dict[Any, int]) -> dict[Partition, int]:
    return {(p.topic, p.partition): offset for p, offset in offsets.items()}
