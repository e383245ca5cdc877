"""Whole runs of `moodwire run` for measurements: settings, the process, what its topics hold."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from kafka import KafkaConsumer, TopicPartition

from benchmarks.demo_stream import DEMO
from benchmarks.own_stack import end
from deploy.processes import REPOSITORY
from deploy.stack import Stack

GROUP = "bench"
TOPICS = ("posts", "readings", "trends", "alerts", "dead-letters")


def write_settings(stack: Stack, brands: Sequence[str] = (), **groups: Mapping[str, Any]) -> Path:
    """The demo's settings between topics of `stack`, with `groups` laid over them.

    `brands` are watched by their names in place of the demo's own.
    """
    settings: dict[str, Any] = yaml.safe_load((DEMO / "moodwire.yaml").read_text())
    kafka = {"bootstrap_servers": stack.broker.bootstrap_servers}
    settings["source"] = {
        "disorder_seconds": 120,
        "kafka": {**kafka, "group_id": GROUP, "start": "earliest"},
    }
    settings["sinks"] = {"folder": str(stack.home / "out"), "kafka": kafka}
    settings["flink"] = {
        "master": stack.flink.rest,
        "workers": stack.flink.pool,
        "job_name": "bench",
        "folder": str(stack.home / "job"),
    }
    for group, values in groups.items():
        settings[group] = {**settings.get(group, {}), **values}
    if brands:
        settings["brands"] = [{"name": name} for name in brands]
    path = stack.home / "moodwire.yaml"
    path.write_text(yaml.safe_dump(settings, sort_keys=False))
    return path


@contextmanager
def running(settings: Path, runner: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`moodwire run` while the block lasts; a job that it left on a cluster goes on."""
    command = [sys.executable, "-m", "pipelines.command_line", "run"]
    command += ["--settings", str(settings), "--runner", runner]
    with log.open("ab") as stream:
        process = subprocess.Popen(
            command,
            stdout=stream,
            stderr=stream,
            cwd=REPOSITORY,
            env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
        )
    try:
        yield process
    finally:
        end(process, 60)


class Topics:
    """Asks the broker how much the topics of a run hold, and how far its group has come."""

    def __init__(self, servers: str) -> None:
        self._consumer: Any = KafkaConsumer(
            bootstrap_servers=servers, group_id=GROUP, enable_auto_commit=False
        )

    def ends(self) -> dict[str, int]:
        """Records written to each topic since it was made."""
        places = [place for topic in TOPICS for place in self._places(topic)]
        ends = self._consumer.end_offsets(places)
        return {topic: sum(ends[p] for p in ends if p.topic == topic) for topic in TOPICS}

    def committed(self) -> int:
        """Records of `posts` that the group has committed."""
        return sum(self._consumer.committed(place) or 0 for place in self._places("posts"))

    def close(self) -> None:
        """Hang up."""
        self._consumer.close(autocommit=False)

    def _places(self, topic: str) -> list[Any]:
        return [TopicPartition(topic, n) for n in self._consumer.partitions_for_topic(topic) or ()]
