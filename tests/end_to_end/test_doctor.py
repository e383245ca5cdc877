"""The doctor against a real Kafka broker."""

from collections.abc import Iterator

import pytest

from deploy.kafka.topics import create_topics, read_topics
from pipelines.checks.network import check_kafka_sink, check_kafka_source
from pipelines.sinks import TOPICS
from tests.end_to_end.kafka_runs import running_broker
from transforms.kafka.cluster import Cluster


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker's address."""
    with running_broker(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker.bootstrap_servers


def test_a_broker_without_topics_is_found_wanting_until_they_are_created(servers: str) -> None:
    cluster = Cluster(servers)

    source, sink = (
        check_kafka_source(cluster, ["posts"]),
        check_kafka_sink(cluster, tuple(TOPICS.values())),
    )

    assert not (source.ok or sink.ok)
    assert "topics missing" in sink.found
    assert "deploy.kafka.topics create" in source.remedy
    assert "deploy.kafka.topics create" in sink.remedy

    create_topics(servers, read_topics())

    assert check_kafka_source(cluster, ["posts"]).ok
    assert check_kafka_sink(cluster, tuple(TOPICS.values())).ok
