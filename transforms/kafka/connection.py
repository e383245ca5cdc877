"""What Kafka holds, and where reading it starts."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from typing import Any, Literal

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from transforms.kafka.cluster import Cluster, KafkaSettingsError, KafkaUnreachableError
from transforms.kafka.offsets import Offsets, Partition

Start = Literal["committed", "earliest", "latest"]
RECONNECT_MS = 1_000  # how long a client may leave a broker alone that came back
ANSWER_MS = 10_000  # how long a broker may take to answer before it counts as unreachable


def require_listener(cluster: Cluster, at: str) -> None:
    """Fail at once where nobody listens: a Kafka client would try for long and leave its thread.

    `at` is the group of settings that errors name, such as `source.kafka`.

    Raises:
        KafkaUnreachableError: none of the addresses takes connections.
    """
    servers = cluster.bootstrap_servers
    refusals = [_refusal(address.strip()) for address in servers.split(",")]
    if all(refusals):
        raise KafkaUnreachableError(
            f"{at}.bootstrap_servers: no Kafka answers at {servers} ({refusals[0]}). "
            "Start it (python -m deploy.kafka.broker start) or correct the address"
        )


def _refusal(address: str) -> str | None:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_MS / 1000).close()
    except (OSError, ValueError) as error:
        return str(error)
    return None


def connect(cluster: Cluster, group_id: str, at: str = "source.kafka") -> Any:
    """A consumer without partitions; errors name settings of the group `at`.

    Raises:
        KafkaUnreachableError: no broker answers.
    """
    require_listener(cluster, at)
    try:
        return KafkaConsumer(
            **cluster.client_settings(),
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
            f"{at}.bootstrap_servers: what listens at {cluster.bootstrap_servers} does not "
            f"answer as Kafka ({error})"
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


def check_source(cluster: Cluster, topics: Iterable[str], group_id: str = "moodwire") -> None:
    """Fail before a pipeline starts if its Kafka source cannot be read.

    Raises:
        KafkaSettingsError: no broker answers or a topic does not exist.
    """
    with connect(cluster, group_id) as consumer:
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
