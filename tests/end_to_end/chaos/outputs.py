"""What a run wrote: every record of its topics with the time at which the broker took it."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from deploy.kafka.topics import create_topics, read_topics
from pipelines.run_folder import FILES
from pipelines.sinks import TOPICS

Key = tuple[Any, ...]


class Written(NamedTuple):
    """One record that was written: its key, which pane of it, and whether nothing changes it."""

    key: Key
    pane: Key
    is_final: bool
    value: bytes


def _reading(record: dict[str, Any]) -> tuple[Key, Key, bool]:
    return (record["channel"], record["post_id"]), (), True


def _trend(record: dict[str, Any]) -> tuple[Key, Key, bool]:
    key = (record["brand"], *record["slice"].values(), record["window_start"])
    return key, (record["pane_index"], record["timing"], record["final"]), record["final"]


def _rollup(record: dict[str, Any]) -> tuple[Key, Key, bool]:
    key, pane, is_final = _trend(record)
    return (*key, record["window_end"]), pane, is_final


def _alert(record: dict[str, Any]) -> tuple[Key, Key, bool]:
    return (record["alert_id"],), (record["revision"], record["final"]), record["final"]


def _topic(record: dict[str, Any]) -> tuple[Key, Key, bool]:
    key = (record["brand"], record["window_start"], record["topic_id"])
    return key, (record["pane_index"], record["posts"], record["final"]), record["final"]


def _rejection(record: dict[str, Any]) -> tuple[Key, Key, bool]:
    position = record["position"]
    return (position["partition"], position["offset"]), (), True


READERS = {
    "readings": _reading,
    "trends": _trend,
    "alerts": _alert,
    "topics": _topic,
    "rejections": _rejection,
    "rollups": _rollup,
}


def parse(kind: str, value: bytes) -> Written:
    """A record as it was written. Positions lose their topic, which is another in each run."""
    record = json.loads(value)
    key, pane, is_final = READERS[kind](record)
    if kind == "rejections":
        record["position"] = key
        record["original"] = len(base64.b64decode(record["original"])), hash_of(record["original"])
        value = json.dumps(record, sort_keys=True).encode()
    return Written(key, pane, is_final, value)


def hash_of(text: str) -> str:
    """Enough to tell two long texts apart."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_folder(folder: Path) -> dict[str, list[Written]]:
    """What a bounded run wrote to its folder."""
    return {
        kind: [parse(kind, line) for line in (folder / name).read_bytes().splitlines()]
        if (folder / name).exists()
        else []
        for kind, name in FILES.items()
    }


def create_run_topics(servers: str, prefix: str) -> None:
    """The run's topics. The broker notes when it took a result, so that gaps can be measured."""
    topics = read_topics(prefix=prefix)
    for name, topic in topics.items():
        if not name.endswith("posts"):
            topic["configs"]["message.timestamp.type"] = "LogAppendTime"
        topic["configs"].pop("cleanup.policy", None)  # every write is to be seen
    create_topics(servers, topics)


@dataclass
class Outputs:
    """Follows the topics of a run.

    Attributes:
        written: all records by kind, in the order of each partition.
        times: when the broker took each of them.
    """

    servers: str
    prefix: str
    written: dict[str, list[Written]] = field(default_factory=lambda: defaultdict(list))
    times: list[float] = field(default_factory=list)
    _consumer: Any = None

    def poll(self) -> int:
        """Take in what is new; how much that was."""
        count = len(self.times)
        try:
            self._consumer = self._consumer or self._open()
            while found := self._consumer.poll(timeout_ms=500):
                for partition, records in found.items():
                    self._take(partition.topic, records)
        except KafkaError:
            time.sleep(1)  # the broker is away: the next poll goes on
        return len(self.times) - count

    def close(self) -> None:
        """Let the connection go."""
        if self._consumer is not None:
            self._consumer.close(autocommit=False)
        self._consumer = None

    def _take(self, topic: str, records: list[Any]) -> None:
        kind = self._kinds[topic]
        for record in records:
            self.written[kind].append(parse(kind, record.value))
            self.times.append(record.timestamp / 1000)

    @property
    def _kinds(self) -> dict[str, str]:
        return {f"{self.prefix}{topic}": kind for kind, topic in TOPICS.items()}

    def _open(self) -> Any:
        consumer = KafkaConsumer(bootstrap_servers=self.servers, enable_auto_commit=False)
        places = [place for topic in self._kinds for place in _places(consumer, topic)]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        return consumer


def committed_posts(servers: str, name: str) -> int:
    """How many posts of a run its group has committed."""
    with KafkaConsumer(
        bootstrap_servers=servers, group_id=name, enable_auto_commit=False
    ) as consumer:
        places = _places(consumer, f"{name}-posts")
        return sum(consumer.committed(place) or 0 for place in places)


def _places(consumer: Any, topic: str) -> list[Any]:
    return [TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic)]


def read_topic(servers: str, topic: str) -> list[tuple[Any, ...]]:
    """Every record of a topic with its place, in the order of places."""
    with KafkaConsumer(
        bootstrap_servers=servers, enable_auto_commit=False, max_partition_fetch_bytes=8 << 20
    ) as consumer:
        places = _places(consumer, topic)
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends = consumer.end_offsets(places)
        found: list[tuple[Any, ...]] = []
        while any(consumer.position(place) < ends[place] for place in places):
            for records in consumer.poll(timeout_ms=500).values():
                found += [
                    (r.partition, r.offset, r.key, r.value, tuple(r.headers)) for r in records
                ]
    return sorted(found, key=lambda record: record[:2])
