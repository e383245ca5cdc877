"""Topics as data against a real broker: created once, differences found and named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from deploy.kafka.broker import resolve_jars
from deploy.kafka.topics import check_topics, create_topics, main, read_topics
from tests.end_to_end.loopback import only_loopback
from tests.end_to_end.secure_kafka import PASSWORD, USER, SecureKafka, secure_kafka

SETTINGS = """
sinks:
  kafka:
    bootstrap_servers: localhost:{port}
    topic_prefix: guarded-
    security:
      protocol: SASL_SSL
      ca_file: {ca}
      mechanism: SCRAM-SHA-512
      username: {user}
      password: {password}
"""


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    resolve_jars()  # before the network goes
    with only_loopback(), secure_kafka(tmp_path_factory.mktemp("kafka")) as kafka:
        yield kafka


def test_created_topics_are_as_declared(kafka: SecureKafka) -> None:
    servers, topics = kafka.broker.bootstrap_servers, read_topics(prefix="new-")
    missing = check_topics(servers, topics)

    assert [(d.topic, d.found) for d in missing] == [(name, "missing") for name in topics]
    assert create_topics(servers, topics) == sorted(topics)
    assert create_topics(servers, topics) == []
    assert check_topics(servers, topics) == []


def test_each_difference_is_shown_with_its_remedy(
    kafka: SecureKafka, capsys: pytest.CaptureFixture[str]
) -> None:
    servers, topics = kafka.broker.bootstrap_servers, read_topics(prefix="bent-")
    bent = {name: dict(topic) for name, topic in topics.items() if name != "bent-media"}
    bent["bent-posts"] |= {"num_partitions": 2}
    bent["bent-trends"] |= {"configs": {"cleanup.policy": "delete"}, "num_partitions": 8}
    create_topics(servers, bent)

    code = main(["check", "--bootstrap-servers", servers, "--prefix", "bent-"])

    assert code == 1
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert [row[:4] for row in rows] == [
        ["bent-posts", "partitions", "4", "2"],
        ["bent-trends", "cleanup.policy", "compact", "delete"],
        ["bent-media", "topic", "there", "missing"],
    ]
    assert "--add-config cleanup.policy=compact" in " ".join(rows[1])


def test_too_few_replicas_are_a_difference(kafka: SecureKafka) -> None:
    servers = kafka.broker.bootstrap_servers
    create_topics(servers, read_topics(prefix="single-"))

    found = check_topics(servers, read_topics(prefix="single-", replication_factor=3))

    assert {(d.what, d.declared, d.found) for d in found} == {("replication factor", "3", "1")}


def test_settings_file_gives_address_security_and_prefix(
    kafka: SecureKafka, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "moodwire.yaml"
    values = {"port": kafka.ports["login"], "ca": kafka.pem("ca"), "user": USER}
    settings.write_text(SETTINGS.format(password=PASSWORD, **values))

    codes = [main([action, "--settings", str(settings)]) for action in ("create", "check")]

    assert codes == [0, 0], capsys.readouterr()
    with KafkaAdminClient(bootstrap_servers=kafka.broker.bootstrap_servers) as admin:
        assert "guarded-trends" in admin.list_topics()


def test_refused_password_is_said_by_its_key(
    kafka: SecureKafka, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "moodwire.yaml"
    values = {"port": kafka.ports["login"], "ca": kafka.pem("ca"), "user": USER}
    settings.write_text(SETTINGS.format(password="a-wrong-password", **values))

    code = main(["check", "--settings", str(settings)])

    said = capsys.readouterr().err
    assert code == 1
    assert "sinks.kafka.security.password" in said and "a-wrong-password" not in said
