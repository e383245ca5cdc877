"""Facts about settings of a cluster that need no broker."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines.settings import SettingsError, parse_settings
from transforms.kafka.access import require_access
from transforms.kafka.cluster import Cluster, KafkaSettingsError, KafkaUnreachableError, Security
from transforms.kafka.tokens import read_token

LOGIN: dict[str, Any] = {"protocol": "SASL_SSL", "mechanism": "PLAIN", "username": "u"}


def test_secrets_never_show() -> None:
    cluster = Cluster("a:1", Security(**LOGIN, password="sesame", key_password="tulip"))

    assert "sesame" not in repr(cluster) and "tulip" not in repr(cluster)
    assert "username='u'" in repr(cluster)


def test_cluster_is_a_key_and_travels() -> None:
    cluster = Cluster("a:1", Security(**LOGIN, password="sesame"))

    assert {cluster: 1}[pickle.loads(pickle.dumps(cluster))] == 1


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("mechanism", {"protocol": "SASL_SSL"}),
        ("protocol", {"mechanism": "PLAIN", "username": "u", "password": "p"}),
        ("protocol", {"ca_file": "ca.pem"}),
        ("cert_file", {"protocol": "SSL", "key_file": "key.pem"}),
        ("password", LOGIN),
        ("username", {**LOGIN, "username": None}),
        ("token_command", {"protocol": "SASL_SSL", "mechanism": "OAUTHBEARER"}),
    ],
)
def test_fields_that_do_not_fit_together_are_named(field: str, fields: dict[str, Any]) -> None:
    with pytest.raises(KafkaSettingsError, match=f"^{field}: "):
        Security(**fields)


def test_settings_name_the_whole_key() -> None:
    text = "source: {kafka: {security: {protocol: SASL_SSL, mechanism: PLAIN, username: u}}}"

    with pytest.raises(SettingsError, match=r"^source\.kafka\.security\.password: missing"):
        parse_settings(text)


def test_plain_cluster_asks_nothing_of_its_clients() -> None:
    settings = Cluster("a:1,b:2").client_settings()

    assert settings == {"bootstrap_servers": "a:1,b:2", "security_protocol": "PLAINTEXT"}


def test_token_is_what_the_program_prints_each_time(tmp_path: Path) -> None:
    file = tmp_path / "token"
    security = Security(protocol="SASL_SSL", mechanism="OAUTHBEARER", token_command=f"cat {file}")
    seen = []
    for token in ("one", "two"):
        file.write_text(token + "\n")
        seen.append(read_token(security))

    assert seen == ["one", "two"]


def test_program_that_fails_is_named_without_what_it_was_given_or_printed() -> None:
    command = f"{sys.executable} -c \"print('hidden-token'); exit(3)\""
    security = Security(protocol="SASL_SSL", mechanism="OAUTHBEARER", token_command=command)

    with pytest.raises(KafkaUnreachableError, match=r"^token_command: .* code 3") as caught:
        read_token(security)

    assert "hidden-token" not in str(caught.value) + repr(security)


@pytest.mark.parametrize("address", ["localhost", "", "127.0.0.1:1,kafka", "[::1]", "kafka:http"])
def test_an_address_without_a_port_is_refused_with_the_remedy(address: str) -> None:
    with pytest.raises(KafkaSettingsError, match=r"source\.kafka\.bootstrap_.*9092") as refused:
        require_access(Cluster(address), "source.kafka")

    assert not isinstance(refused.value, KafkaUnreachableError)  # nobody waits for it to come back
