"""Create Moodwire's Kafka topics, or check them: `python -m deploy.kafka.topics create|check`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource
from kafka.errors import KafkaError, TopicAlreadyExistsError

from deploy.kafka.broker import PORT
from pipelines.settings import SettingsError, load_settings
from transforms.kafka.access import open_client
from transforms.kafka.cluster import Cluster, KafkaSettingsError

TOPICS = Path(__file__).with_name("topics.yaml")
Topics = dict[str, dict[str, Any]]  # by name, in the form that kafka-python's `create_topics` takes


class Difference(NamedTuple):
    """One thing about a topic that is not as declared, and what to do about it."""

    topic: str
    what: str
    declared: str
    found: str
    remedy: str


def read_topics(
    path: Path = TOPICS, prefix: str = "", replication_factor: int | None = None
) -> Topics:
    """The declared topics; `replication_factor` comes before the declared one."""
    declared: Topics = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {
        prefix + name: {
            "num_partitions": topic["partitions"],
            "replication_factor": replication_factor or topic.get("replication_factor", 1),
            "configs": dict(topic.get("settings", {})),
        }
        for name, topic in declared.items()
    }


def create_topics(cluster: Cluster | str, topics: Topics, at: str = "sinks.kafka") -> list[str]:
    """Create the topics that do not exist yet and return their names once they can be used.

    `cluster` may be an address without security; errors name settings of the group `at`.
    """
    with _admin(cluster, at) as admin:
        present = set(admin.list_topics())
        missing = {name: topic for name, topic in topics.items() if name not in present}
        if missing:
            _create(admin, missing)
            admin.wait_for_topics(list(missing), timeout_ms=30_000)
    return sorted(missing)


def check_topics(
    cluster: Cluster | str, topics: Topics, at: str = "sinks.kafka"
) -> list[Difference]:
    """What is not as declared; more partitions or replicas than that are no difference."""
    with _admin(cluster, at) as admin:
        present = sorted(set(admin.list_topics()) & topics.keys())
        found = {topic["name"]: topic for topic in admin.describe_topics(present) if present}
        asked = [ConfigResource("TOPIC", name) for name in present]
        told = admin.describe_configs(asked, config_filter="all") if asked else {}
    settings = told.get("topic", {})
    return [
        difference
        for name, topic in topics.items()
        for difference in _differences(name, topic, found.get(name), settings.get(name, {}))
    ]


def _differences(name: str, declared: Any, found: Any, settings: Any) -> Iterator[Difference]:
    if found is None:
        yield Difference(name, "topic", "there", "missing", "topics create")
        return
    wanted, partitions = declared["num_partitions"], found["partitions"]
    if len(partitions) < wanted:
        remedy = f"kafka-topics --alter --topic {name} --partitions {wanted} (keys will move)"
        yield Difference(name, "partitions", str(wanted), str(len(partitions)), remedy)
    wanted = declared.get("replication_factor", 1)
    replicas = min(len(partition["replica_nodes"]) for partition in partitions)
    if replicas < wanted:
        remedy = "kafka-reassign-partitions, one more broker to each partition"
        yield Difference(name, "replication factor", str(wanted), str(replicas), remedy)
    for key, value in declared["configs"].items():
        actual = settings.get(key, {}).get("value")
        if actual != value:
            add = f"--add-config {key}={value}"
            remedy = f"kafka-configs --alter --entity-type topics --entity-name {name} {add}"
            yield Difference(name, key, value, str(actual), remedy)


def _admin(cluster: Cluster | str, at: str) -> Any:
    known = Cluster(cluster) if isinstance(cluster, str) else cluster
    return open_client(KafkaAdminClient, known, at)


def _create(admin: Any, missing: Topics) -> None:
    try:
        admin.create_topics(missing)
    except TopicAlreadyExistsError:
        return  # another start made them between the look and the creation


def main(arguments: list[str] | None = None) -> int:
    """Create or check the topics of topics.yaml."""
    options = _parser().parse_args(arguments)
    try:
        cluster, prefix, at = _place(options)
        topics = read_topics(
            prefix=options.prefix or prefix, replication_factor=options.replication_factor
        )
        if options.action == "check":
            return _report(check_topics(cluster, topics, at), len(topics))
        made = create_topics(cluster, topics, at)
    except (KafkaError, KafkaSettingsError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"created {', '.join(made)}" if made else "every topic is there already")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.kafka.topics", description=__doc__)
    parser.add_argument("action", choices=("create", "check"))
    parser.add_argument("--bootstrap-servers", default=f"127.0.0.1:{PORT}")
    parser.add_argument(
        "--settings",
        help="take addresses, security and prefix from this settings file: its sinks.kafka, or its "
        "source.kafka where it has no other",
    )
    parser.add_argument("--prefix", default="", help="as in sinks.kafka.topic_prefix")
    parser.add_argument("--replication-factor", type=int, help="3 is usual on a real cluster")
    return parser


def _place(options: argparse.Namespace) -> tuple[Cluster, str, str]:
    """The cluster, the prefix of its topics, and the settings that errors name.

    Raises:
        SettingsError: the settings file names no Kafka.
    """
    if options.settings is None:
        return Cluster(options.bootstrap_servers), "", "sinks.kafka"
    settings = load_settings(options.settings)
    if settings.sinks.kafka is not None:
        return settings.sinks.kafka.cluster, settings.sinks.kafka.topic_prefix, "sinks.kafka"
    if settings.source.kafka is not None:
        return settings.source.kafka.cluster, "", "source.kafka"
    raise SettingsError(f"{options.settings}: names no Kafka. Add sinks.kafka or source.kafka")


def _report(differences: list[Difference], count: int) -> int:
    if not differences:
        print(f"all {count} topics are as declared")
        return 0
    rows = [("topic", "what", "declared", "found", "remedy"), *differences]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[4]]))
    return 1


if __name__ == "__main__":
    sys.exit(main())
