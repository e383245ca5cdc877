"""Kafka's topics as resources of the Strimzi operator, from the one place that declares them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from deploy.kafka.topics import read_topics
from deploy.processes import REPOSITORY

RESOURCES = REPOSITORY / "deploy" / "kubernetes" / "base" / "kafka" / "topics.yaml"
REPLICAS = 3
HEADER = """\
# Made from deploy/kafka/topics.yaml by `python -m deploy.manifests topics`: change it there.
"""


def topic_resources() -> list[dict[str, Any]]:
    """One KafkaTopic for each declared topic."""
    return [
        {
            "apiVersion": "kafka.strimzi.io/v1",
            "kind": "KafkaTopic",
            "metadata": {"name": name, "labels": {"strimzi.io/cluster": "moodwire"}},
            "spec": {
                "partitions": topic["num_partitions"],
                "replicas": max(REPLICAS, topic["replication_factor"]),
                **({"config": topic["configs"]} if topic["configs"] else {}),
            },
        }
        for name, topic in read_topics().items()
    ]


def topic_text() -> str:
    """What `RESOURCES` must hold."""
    return HEADER + yaml.safe_dump_all(topic_resources(), sort_keys=False)


def write_topics(path: Path = RESOURCES) -> Path:
    """Write the resources anew."""
    path.write_text(topic_text(), encoding="utf-8")
    return path
