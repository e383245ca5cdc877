"""What Kafka holds, and where reading it starts and stops."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from kafka import TopicPartition
from kafka.errors import KafkaError, UnknownTopicOrPartitionError

from transforms.kafka.access import open_consumer
from transforms.kafka.cluster import Cluster, KafkaSettingsError
from transforms.kafka.group_times import Commit, Report, read_reports
from transforms.kafka.offsets import Offsets, Partition
from transforms.kafka.starts import Start, Stop, pick_offsets

AT = "source.kafka"  # the group of settings that errors name


def connect(cluster: Cluster, group_id: str, at: str = AT) -> Any:
    """A consumer without partitions; errors name settings of the group `at`.

    Raises:
        KafkaUnreachableError: no broker answers.
        KafkaSettingsError: the brokers refuse this client.
    """
    return open_consumer(cluster, at, group_id)


def find_topics(consumer: Any, topics: Iterable[str], pattern: str | None) -> list[str]:
    """The topics that are there of those named and of those that match, without Kafka's own."""
    wanted = set(topics)
    return sorted(
        topic
        for topic in consumer.topics()
        if topic in wanted
        or (pattern and not topic.startswith("__") and re.fullmatch(pattern, topic))
    )


def find_partitions(
    consumer: Any, topics: Iterable[str], pattern: str | None = None
) -> list[Partition]:
    """Every partition of the topics that are there."""
    found = find_topics(consumer, topics, pattern)
    return sorted((topic, n) for topic in found for n in consumer.partitions_for_topic(topic))


def require_topics(consumer: Any, topics: Iterable[str], pattern: str | None) -> None:
    """Fail where a topic is missing.

    Raises:
        KafkaSettingsError: a named topic does not exist, or none matches the pattern.
    """
    missing = sorted(set(topics) - set(find_topics(consumer, topics, None)))
    known = ", ".join(sorted(consumer.topics())) or "none"
    if missing:
        raise KafkaSettingsError(
            f"{AT}.topics: there is no topic {missing[0]!r} (there are: {known}). "
            "Create it (python -m deploy.kafka.topics create) or correct the name"
        )
    if pattern and not find_topics(consumer, (), pattern):
        raise KafkaSettingsError(
            f"{AT}.topic_pattern: no topic matches {pattern!r} (there are: {known}). Create one, "
            "or correct the pattern; it must match the whole name"
        )


def check_source(cluster: Cluster, topics: Iterable[str], group_id: str = "moodwire") -> None:
    """Fail where Kafka cannot be read or a topic is missing.

    Raises:
        KafkaSettingsError: no broker answers, it refuses this client, or a topic does not exist.
    """
    with connect(cluster, group_id) as consumer:
        require_topics(consumer, topics, None)


def first_offsets(consumer: Any, partitions: Collection[Partition], start: Start) -> Offsets:
    """Where reading starts; a committed offset that has expired becomes the earliest one left.

    A time is where the first record of that time or later lies, else the end.

    Raises:
        KafkaSettingsError: a given offset is out of range, or partitions were left out.
    """
    asked = [TopicPartition(*partition) for partition in partitions]
    earliest, latest = bounds(consumer, partitions)
    if start == "earliest":
        return earliest
    if start == "latest":
        return latest
    if start == "committed":
        committed = _plain({p: consumer.committed(p) or 0 for p in asked})
        return {p: min(max(committed[p], earliest[p]), latest[p]) for p in committed}
    return _named_offsets(consumer, start, earliest, latest, f"{AT}.start")


def last_offsets(consumer: Any, partitions: Collection[Partition], stop: Stop) -> Offsets | None:
    """Where reading stops: at the end as it is now, a time or offsets; None for an endless run.

    Raises:
        KafkaSettingsError: a given offset is out of range, or partitions were left out.
    """
    if stop is None:
        return None
    earliest, latest = bounds(consumer, partitions)
    if stop == "end":
        return latest
    return _named_offsets(consumer, stop, earliest, latest, f"{AT}.stop")


def _named_offsets(
    consumer: Any, place: Any, earliest: Offsets, latest: Offsets, setting: str
) -> Offsets:
    if not isinstance(place, datetime):
        return pick_offsets(place, earliest, latest, setting)
    millis = max(int(place.timestamp() * 1000), 0)
    found = consumer.offsets_for_times({TopicPartition(*p): millis for p in latest})
    reached = {p: at.offset for p, at in found.items() if at is not None}
    return {**latest, **_plain(reached)}


def end_offsets(
    consumer: Any, partitions: Collection[Partition], timeout_ms: int
) -> Offsets | None:
    """The ends of partitions, asked of the broker now; None where it does not answer.

    A partition whose topic was deleted has none.
    """
    try:
        return _end_offsets(consumer, partitions, timeout_ms)
    except (KeyError, UnknownTopicOrPartitionError):  # so says the one client, so the other
        there = set(find_partitions(consumer, {topic for topic, _ in partitions}))
        return _end_offsets(consumer, there.intersection(partitions), timeout_ms)
    except KafkaError:
        return None


def _end_offsets(consumer: Any, partitions: Iterable[Partition], timeout_ms: int) -> Offsets:
    asked = [TopicPartition(*partition) for partition in partitions]
    return _plain(consumer.end_offsets(asked, timeout_ms=timeout_ms))


def bounds(consumer: Any, partitions: Iterable[Partition]) -> tuple[Offsets, Offsets]:
    """The first offsets that partitions hold, and the ones that come next."""
    asked = [TopicPartition(*partition) for partition in partitions]
    return _plain(consumer.beginning_offsets(asked)), _plain(consumer.end_offsets(asked))


def hear_group(
    consumer: Any, others: Iterable[Partition], run: str, timeout_ms: int
) -> list[Report] | None:
    """What the owners of other partitions committed of them; None where Kafka does not answer."""
    asked = [TopicPartition(*partition) for partition in others]
    try:
        commits = {p: consumer.committed(p, metadata=True, timeout_ms=timeout_ms) for p in asked}
        firsts = consumer.beginning_offsets(asked, timeout_ms=timeout_ms)
        ends = consumer.end_offsets(asked, timeout_ms=timeout_ms)
    except KafkaError:
        return None
    said = {p: c and Commit(c.offset, c.metadata or "") for p, c in commits.items()}
    return read_reports(_plain(said), _plain(firsts), _plain(ends), run)


def positions(consumer: Any, partitions: Iterable[Partition]) -> dict[Partition, int]:
    """The next offset of each partition: past what was polled, control records and gaps."""
    return {p: consumer.position(TopicPartition(*p)) for p in partitions}


def _plain(by_partition: dict[Any, Any]) -> dict[Partition, Any]:
    return {(p.topic, p.partition): value for p, value in by_partition.items()}
