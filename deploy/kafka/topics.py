"""Create Moodwire's Kafka topics: `python -m deploy.kafka.topics create`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import yaml
from kafka import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError

from deploy.kafka.broker import PORT

BOOTSTRAP_MS = 10_000
TOPICS = Path(__file__).with_name("topics.yaml")


def read_topics(path: Path = TOPICS, prefix: str = "") -> dict[str, dict[str, Any]]:
    """The declared topics in the form that kafka-python's `create_topics` takes."""
    declared: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {
        prefix + name: {
            "num_partitions": topic["partitions"],
            "configs": dict(topic.get("settings", {})),
        }
        for name, topic in declared.items()
    }


def create_topics(bootstrap_servers: str, topics: dict[str, dict[str, Any]]) -> list[str]:
    """Create the topics that do not exist yet and return their names once they can be used."""
    with KafkaAdminClient(
        bootstrap_servers=bootstrap_servers, bootstrap_timeout_ms=BOOTSTRAP_MS
    ) as admin:
        present = set(admin.list_topics())
        missing = {name: topic for name, topic in topics.items() if name not in present}
        if missing:
            _create(admin, missing)
            admin.wait_for_topics(list(missing), timeout_ms=30_000)
    return sorted(missing)


def _create(admin: Any, missing: dict[str, dict[str, Any]]) -> None:
    try:
        admin.create_topics(missing)
    except TopicAlreadyExistsError:
        return  # another start made them between the look and the creation


def main(arguments: list[str] | None = None) -> int:
    """Create the topics of topics.yaml."""
    parser = argparse.ArgumentParser(prog="python -m deploy.kafka.topics", description=__doc__)
    parser.add_argument("action", choices=("create",))
    parser.add_argument("--bootstrap-servers", default=f"127.0.0.1:{PORT}")
    parser.add_argument("--prefix", default="", help="as in sinks.kafka.topic_prefix")
    options = parser.parse_args(arguments)
    try:
        made = create_topics(options.bootstrap_servers, read_topics(prefix=options.prefix))
    except KafkaError as error:
        print(f"{options.bootstrap_servers}: {error}. Is the broker started?", file=sys.stderr)
        return 1
    print(f"created {', '.join(made)}" if made else "every topic is there already")
    return 0


if __name__ == "__main__":
    sys.exit(main())
