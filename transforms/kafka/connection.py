"""What Kafka holds, and where reading it starts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from transforms.kafka.access import open_client
from transforms.kafka.cluster import Cluster, KafkaSettingsError
from transforms.kafka.offsets import Offsets, Partition

Start = Literal["committed", "earliest", "latest"]


def connect(cluster: Cluster, group_id: str, at: str = "source.kafka") -> Any:
    """A consumer without partitions; errors name settings of the group `at`.

    Raises:
        KafkaUnreachableError: no broker answers.
        KafkaSettingsError: the brokers refuse this client.
    """
    return open_client(
        KafkaConsumer,
        cluster,
        at,
        group_id=group_id,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        allow_auto_create_topics=False,
    )


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
