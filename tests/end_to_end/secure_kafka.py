"""A broker with a listener for each way of encryption and login, and the certificates for it."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion

from deploy.kafka.broker import Broker
from transforms.kafka.cluster import Cluster, Security

USER, PASSWORD, KEY_PASSWORD = "reader", "open-sesame-4711", "swordfish-0815"

PROPERTIES = """
listeners=PLAINTEXT://127.0.0.1:{plain},CONTROLLER://127.0.0.1:{controller},\
TLS://127.0.0.1:{tls},MUTUAL://127.0.0.1:{mutual},LOGIN://127.0.0.1:{login},OPEN://127.0.0.1:{open}
advertised.listeners=PLAINTEXT://127.0.0.1:{plain},CONTROLLER://127.0.0.1:{controller},\
TLS://localhost:{tls},MUTUAL://localhost:{mutual},LOGIN://localhost:{login},OPEN://localhost:{open}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SSL,MUTUAL:SSL,\
LOGIN:SASL_SSL,OPEN:SASL_PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location={folder}/server.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
listener.name.mutual.ssl.client.auth=required
listener.name.login.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.open.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.login.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}="{password}";
listener.name.login.scram-sha-256.sasl.jaas.config={scram} required;
listener.name.login.scram-sha-512.sasl.jaas.config={scram} required;
listener.name.open.scram-sha-512.sasl.jaas.config={scram} required;
listener.name.login.oauthbearer.sasl.jaas.config=\
org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required \
unsecuredLoginStringClaim_sub="broker";
"""
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"


@dataclass(frozen=True)
class SecureKafka:
    """The running broker, the ports of its listeners and the folder of the certificates."""

    broker: Broker
    ports: dict[str, int]
    folder: Path

    def pem(self, name: str) -> str:
        return str(self.folder / f"{name}.pem")

    def at(self, listener: str, host: str = "localhost", **fields: Any) -> Cluster:
        """A listener as a client that trusts the first authority sees it."""
        known = {"protocol": "SSL", "ca_file": self.pem("ca")}
        return Cluster(f"{host}:{self.ports[listener]}", Security(**(known | fields)))

    def login(self, mechanism: str, **fields: Any) -> Cluster:
        """The listener with logins as a client with the right secret sees it."""
        known = {"username": USER, "password": PASSWORD}
        if mechanism == "OAUTHBEARER":
            known = {"token_command": f"cat {self.folder / 'token'}"}
        chosen = {"protocol": "SASL_SSL", "mechanism": mechanism}
        return self.at("login", **(chosen | known | fields))


@contextmanager
def secure_kafka(folder: Path) -> Iterator[SecureKafka]:
    make_certificates(folder)
    (folder / "token").write_text(a_token())
    names = ("plain", "controller", "tls", "mutual", "login", "open")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    properties = PROPERTIES.format(
        folder=folder, user=USER, password=PASSWORD, scram=SCRAM, **ports
    )
    broker = Broker(folder / "kafka", ports["plain"], ports["controller"], properties)
    broker.start()
    try:
        with KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers) as admin:
            add_scram_users(admin)
        yield SecureKafka(broker, ports, folder)
    finally:
        broker.stop()


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]


def add_scram_users(admin: Any) -> None:
    for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
        known = UserScramCredentialUpsertion(USER, mechanism, PASSWORD)
        assert admin.alter_user_scram_credentials([known]) == {USER: None}


def a_token(lives_seconds: float = 3600) -> str:
    """A token without signature, as Kafka's validator for tests takes it."""
    now = time.time()
    claims = {"sub": USER, "iat": now, "exp": now + lives_seconds}
    parts = (json.dumps(part).encode() for part in ({"alg": "none"}, claims))
    return ".".join(base64.urlsafe_b64encode(p).decode().rstrip("=") for p in parts) + "."


def make_certificates(folder: Path) -> None:
    """Two authorities; of the first a server's certificate for `localhost` and a client's."""
    for name in ("ca", "stranger"):
        openssl(
            folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem",
        )  # fmt: skip
    for name, signed_by in (("server", "ca"), ("client", "ca"), ("strange", "stranger")):
        openssl(
            folder, "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}",
            "-keyout", f"{name}.key", "-out", f"{name}.csr",
        )  # fmt: skip
        (folder / "names").write_text("subjectAltName=DNS:localhost\n")
        openssl(
            folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{signed_by}.pem",
            "-CAkey", f"{signed_by}.key", "-CAcreateserial", "-days", "2", "-extfile", "names",
            "-out", f"{name}.crt",
        )  # fmt: skip
        both = (folder / f"{name}.key").read_text() + (folder / f"{name}.crt").read_text()
        (folder / f"{name}.pem").write_text(both)
    openssl(
        folder, "pkcs8", "-topk8", "-in", "client.key", "-out", "client-locked.key",
        "-passout", f"pass:{KEY_PASSWORD}",
    )  # fmt: skip


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
