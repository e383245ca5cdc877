"""Encryption and logins against a real broker: what works is used, what does not is named."""

from __future__ import annotations

import logging
import pickle
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deploy.kafka.broker import resolve_jars
from deploy.kafka.topics import create_topics
from tests.end_to_end.loopback import only_loopback
from tests.end_to_end.secure_kafka import (
    KEY_PASSWORD,
    PASSWORD,
    SecureKafka,
    a_token,
    secure_kafka,
)
from transforms.kafka import connection
from transforms.kafka.cluster import Cluster, KafkaSettingsError, KafkaUnreachableError
from transforms.kafka.consumers import Consumers
from transforms.kafka.producers import PRODUCERS, Message, deliver, require_topic

TOPIC = "guarded"
WITHIN_SECONDS = 8.0
SECRETS = (PASSWORD, KEY_PASSWORD, "a-wrong-password")


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    resolve_jars()  # before the network goes
    with only_loopback(), secure_kafka(tmp_path_factory.mktemp("kafka")) as kafka:
        create_topics(kafka.broker.bootstrap_servers, {TOPIC: {"num_partitions": 1}})
        yield kafka


@pytest.fixture
def refused(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> Callable[[Cluster], str]:
    """What source and sink say of a cluster: the same, soon, and no secret in it or in a log."""
    caplog.set_level(logging.DEBUG)

    def ask(cluster: Cluster) -> str:
        said = [
            error_of(lambda: connection.check_source(cluster, [TOPIC])),
            error_of(lambda: require_topic(cluster, TOPIC)),
        ]
        assert said[0].removeprefix("source.") == said[1].removeprefix("sinks.")
        shown = [*said, caplog.text, *capfd.readouterr(), repr(cluster)]
        assert not [secret for secret in SECRETS if any(secret in text for text in shown)]
        return said[0]

    return ask


def error_of(call: Callable[[], Any]) -> str:
    before = time.monotonic()
    with pytest.raises(KafkaSettingsError) as caught:
        call()
    assert time.monotonic() - before < WITHIN_SECONDS
    return str(caught.value)


def write_and_read(cluster: Cluster, value: bytes) -> bytes:
    """The newest value of the topic after `value` was written to it."""
    PRODUCERS.join(cluster)
    deliver(cluster, TOPIC, [Message(b"key", value)])
    PRODUCERS.leave(cluster)
    with connection.connect(cluster, "readers") as consumer:
        partitions = connection.find_partitions(consumer, [TOPIC])
        ends = connection.first_offsets(consumer, partitions, "latest")
    offsets = {(TOPIC, 0): ends[TOPIC, 0] - 1}
    with Consumers().lend(cluster, "readers", offsets) as loan:
        found = loan.consumer.poll(timeout_ms=10_000)
    (records,) = found.values()
    return bytes(records[-1].value)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"])
def test_each_login_reads_and_writes(kafka: SecureKafka, mechanism: str) -> None:
    value = mechanism.encode()

    assert write_and_read(kafka.login(mechanism), value) == value


def test_login_without_encryption_reads_and_writes(kafka: SecureKafka) -> None:
    cluster = kafka.login("SCRAM-SHA-512", protocol="SASL_PLAINTEXT", ca_file=None)
    cluster = Cluster(f"localhost:{kafka.ports['open']}", cluster.security)

    assert write_and_read(cluster, b"open") == b"open"


def test_encryption_reads_and_writes(kafka: SecureKafka) -> None:
    assert write_and_read(kafka.at("tls"), b"tls") == b"tls"


@pytest.mark.parametrize("locked", [False, True])
def test_client_certificate_reads_and_writes(kafka: SecureKafka, locked: bool) -> None:
    key = str(kafka.folder / ("client-locked.key" if locked else "client.key"))
    password = KEY_PASSWORD if locked else None
    certificate = {"cert_file": str(kafka.folder / "client.crt"), "key_file": key}

    cluster = kafka.at("mutual", key_password=password, **certificate)

    assert write_and_read(cluster, b"mutual") == b"mutual"


def test_host_name_need_not_fit_where_it_is_not_checked(kafka: SecureKafka) -> None:
    connection.check_source(kafka.at("tls", "127.0.0.1", check_hostname=False), [TOPIC])


def test_travelling_cluster_logs_in(kafka: SecureKafka) -> None:
    travelled = pickle.loads(pickle.dumps(kafka.login("OAUTHBEARER")))

    connection.check_source(travelled, [TOPIC])


def test_token_of_an_environment_variable_is_read_at_each_connection(
    kafka: SecureKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = kafka.login("OAUTHBEARER", token_command=None, token_variable="KAFKA_TOKEN")
    with pytest.raises(KafkaUnreachableError, match=r"source\.kafka\.security\.token_variable"):
        connection.check_source(cluster, [TOPIC])
    monkeypatch.setenv("KAFKA_TOKEN", a_token())

    connection.check_source(cluster, [TOPIC])


REFUSALS: dict[str, tuple[str, Callable[[SecureKafka], Cluster]]] = {
    "password, PLAIN": ("password", lambda k: k.login("PLAIN", password="a-wrong-password")),
    "password, SCRAM": (
        "password",
        lambda k: k.login("SCRAM-SHA-256", password="a-wrong-password"),
    ),
    "user": ("password", lambda k: k.login("SCRAM-SHA-512", username="nobody")),
    "token": ("token_command", lambda k: k.login("OAUTHBEARER", token_command="echo nonsense")),
    "expired token": (
        "token_command",
        lambda k: k.login("OAUTHBEARER", token_command=f"echo {a_token(-600)}"),
    ),
    "no token": ("token_command", lambda k: k.login("OAUTHBEARER", token_command="false")),
    "no program": ("token_command", lambda k: k.login("OAUTHBEARER", token_command="/no/such x")),
    "mechanism": (
        "mechanism",
        lambda k: k.at(
            "open", protocol="SASL_PLAINTEXT", ca_file=None, mechanism="PLAIN",
            username="reader", password=PASSWORD,
        ),
    ),
    "authority": ("ca_file", lambda k: k.at("tls", ca_file=k.pem("stranger"))),
    "no authority": ("ca_file", lambda k: k.at("tls", ca_file=None)),
    "no file": ("ca_file", lambda k: k.at("tls", ca_file="/no/such.pem")),
    "host name": ("check_hostname", lambda k: k.at("tls", "127.0.0.1")),
    "no certificate": ("cert_file", lambda k: k.at("mutual")),
    "strange certificate": ("cert_file", lambda k: k.at("mutual", cert_file=k.pem("strange"))),
    "key password": (
        "cert_file",
        lambda k: k.at(
            "mutual", cert_file=str(k.folder / "client.crt"),
            key_file=str(k.folder / "client-locked.key"), key_password="a-wrong-password",
        ),
    ),
    "plain text to TLS": ("protocol", lambda k: k.at("tls", protocol="PLAINTEXT", ca_file=None)),
    "TLS to plain text": ("protocol", lambda k: k.at("plain")),
    "login where there is none": (
        "protocol",
        lambda k: Cluster(f"localhost:{k.ports['tls']}", k.login("PLAIN").security),
    ),
    "no login where there is one": ("protocol", lambda k: k.at("login")),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSALS)
def test_refusal_names_the_setting_soon_and_no_secret(
    kafka: SecureKafka, refused: Callable[[Cluster], str], what: str
) -> None:
    setting, cluster_of = REFUSALS[what]

    said = refused(cluster_of(kafka))

    assert f"kafka.security.{setting}" in said
