"""Clients that answer for their settings: what is wrong is said by name and within seconds.

A Kafka client which is refused tries again until its time is up and then says only that it could
not begin. So each is preceded by one question to the broker, asked here byte by byte.
"""

from __future__ import annotations

import logging
import socket
import ssl
import struct
from contextlib import closing
from typing import Any

from kafka import KafkaConsumer
from kafka.errors import KafkaError
from kafka.net.sasl import get_sasl_mechanism

from transforms.kafka import wire
from transforms.kafka.cluster import Cluster, KafkaSettingsError, KafkaUnreachableError, Security
from transforms.kafka.tokens import read_token

RECONNECT_MS = 1_000  # how long a client may leave a broker alone that came back
ANSWER_MS = 10_000  # how long a broker may take to answer before it counts as unreachable
START = "Start it (python -m deploy.kafka.broker start) or correct the address"

TELLTALES = ("kafka.protocol.parser", "kafka.net.connection")  # they log each byte at DEBUG


def open_client(kind: Any, cluster: Cluster, at: str, **settings: Any) -> Any:
    """A kafka-python client of class `kind`; errors name settings of the group `at`.

    Raises:
        KafkaUnreachableError: no broker answers.
        KafkaSettingsError: brokers answer but refuse this client.
    """
    require_access(cluster, at)
    if cluster.security.has_login:
        _keep_secrets_out_of_logs()
    try:
        return kind(
            **cluster.client_settings(),
            bootstrap_timeout_ms=ANSWER_MS,
            reconnect_backoff_max_ms=RECONNECT_MS,
            **settings,
        )
    except (KafkaError, OSError) as error:
        raise KafkaUnreachableError(
            f"{at}.bootstrap_servers: what listens at {cluster.bootstrap_servers} does not "
            f"answer as Kafka ({error}). {START}"
        ) from error


def open_consumer(cluster: Cluster, at: str, group_id: str) -> Any:
    """A consumer without partitions, by the client that the cluster names; of committed records.

    Raises:
        KafkaUnreachableError: no broker answers.
        KafkaSettingsError: the brokers refuse this client, or it is not installed.
    """
    if cluster.client == "kafka-python":
        return open_client(
            KafkaConsumer,
            cluster,
            at,
            group_id=group_id,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            allow_auto_create_topics=False,
        )
    try:
        from transforms.kafka.confluent_client import ConfluentConsumer
    except ImportError as error:
        raise KafkaSettingsError(
            f"{at}.client: confluent-kafka is not installed ({error}). Install it where the "
            "workers run (pip install 'moodwire[confluent]'), or choose kafka-python"
        ) from error
    require_access(cluster, at)
    return ConfluentConsumer(cluster, group_id)


def _keep_secrets_out_of_logs() -> None:
    for name in TELLTALES:
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.INFO))


def require_access(cluster: Cluster, at: str) -> None:
    """Fail within seconds where no listener takes this client.

    `at` is the group of settings that errors name, such as `source.kafka`.

    Raises:
        KafkaUnreachableError: nobody listens, or what listens does not answer for now.
        KafkaSettingsError: TLS or the login cannot work as configured.
    """
    problems: list[KafkaSettingsError] = []
    for address in cluster.bootstrap_servers.split(","):
        try:
            return _knock(address.strip(), cluster.security)
        except KafkaSettingsError as error:
            problems.append(error)
    # What cannot work is worth more words than what is away just now.
    worst = min(problems, key=lambda problem: isinstance(problem, KafkaUnreachableError))
    raise type(worst)(f"{at}.{worst}") from worst.__cause__


def _knock(address: str, security: Security) -> None:
    """Go through all that a connection goes through before its first request."""
    if security.mechanism == "OAUTHBEARER":
        _check_token(security)
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal()):
        raise KafkaSettingsError(
            f"bootstrap_servers: {address!r} is no address with a port. Write e.g. localhost:9092, "
            "several with commas between them"
        )
    try:
        sock = socket.create_connection((host.strip("[]"), int(port)), ANSWER_MS / 1000)
    except OSError as error:
        raise KafkaUnreachableError(
            f"bootstrap_servers: no Kafka answers at {address} ({error}). {START}"
        ) from error
    with closing(sock):
        if not security.is_encrypted:
            return _ask(sock, address, security)
        with closing(_encrypt(sock, address, host.strip("[]"), security)) as encrypted:
            _ask(encrypted, address, security)


def _check_token(security: Security) -> None:
    try:
        read_token(security)
    except KafkaSettingsError as error:
        raise type(error)(f"security.{error}") from None


def _encrypt(sock: socket.socket, address: str, host: str, security: Security) -> ssl.SSLSocket:
    context = _context(security)
    try:
        return context.wrap_socket(sock, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        is_name = error.verify_code in (62, 64)  # OpenSSL: mismatch of host name, of address
        field = "check_hostname" if is_name else "ca_file"
        remedy = (
            "Connect by a name that it holds, or set check_hostname: false"
            if is_name
            else "Name the PEM file of the authority that signed it"
        )
        raise KafkaSettingsError(
            f"security.{field}: the certificate of {address} is not trusted "
            f"({error.verify_message}). {remedy}"
        ) from error
    except TimeoutError as error:
        raise _silent(address) from error
    except OSError as error:
        raise KafkaUnreachableError(
            f"security.protocol: TLS with {address} cannot begin ({_reason(error)}). If that "
            "listener has no encryption, choose PLAINTEXT or SASL_PLAINTEXT, or another port"
        ) from error


def _context(security: Security) -> ssl.SSLContext:
    """What kafka-python will build of the same settings; here each file's error has a name."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = security.check_hostname
    try:
        if security.ca_file:
            context.load_verify_locations(security.ca_file)
        else:
            context.load_default_certs()
    except OSError as error:
        raise KafkaSettingsError(
            f"security.ca_file: {security.ca_file} cannot be used ({_reason(error)}). It must be "
            "a PEM file with certificates"
        ) from error
    if security.cert_file:
        try:
            context.load_cert_chain(
                security.cert_file, security.key_file, security.key_password or ""
            )
        except OSError as error:
            raise KafkaSettingsError(
                f"security.cert_file: {security.cert_file} with its key "
                f"{security.key_file or 'inside'} cannot be used ({_reason(error)}). Correct "
                "cert_file, key_file or key_password"
            ) from error
    return context


def _ask(sock: socket.socket, address: str, security: Security) -> None:
    """Log in, or make sure that no login is wanted."""
    try:
        _judge(wire.ask_for_login(sock, security.mechanism or "PLAIN"), address, security)
        if security.has_login:
            _log_in(sock, address, security)
    except TimeoutError as error:
        raise _silent(address) from error
    except ssl.SSLError as error:
        certificate = security.cert_file or "none is given"
        raise KafkaSettingsError(
            f"security.cert_file: {address} asks for a client certificate and refuses this one: "
            f"{certificate} ({_reason(error)}). Name one that the broker's authority signed"
        ) from error
    except wire.SpeaksTlsError as error:
        raise KafkaSettingsError(
            f"security.protocol: the listener at {address} wants TLS. Choose "
            f"{'SASL_SSL' if security.has_login else 'SSL'}, or another port"
        ) from error
    except (OSError, wire.NotKafkaError, struct.error) as error:
        raise KafkaUnreachableError(
            f"bootstrap_servers: what listens at {address} does not answer as Kafka ({error}). "
            f"If it is one that starts, wait. {START}"
        ) from error


def _judge(offer: wire.Offer, address: str, security: Security) -> None:
    """Raise unless the broker's answer fits the protocol."""
    if security.has_login and offer.code == wire.NO_LOGIN_HERE:
        raise KafkaSettingsError(
            f"security.protocol: the listener at {address} has no login. Choose "
            f"{'SSL' if security.is_encrypted else 'PLAINTEXT'}, or another port"
        )
    if not security.has_login and offer.code in (wire.NO_ERROR, wire.UNSUPPORTED_MECHANISM):
        raise KafkaSettingsError(
            f"security.protocol: the listener at {address} wants a login. Choose "
            f"{'SASL_SSL' if security.is_encrypted else 'SASL_PLAINTEXT'} and set the mechanism"
        )
    if security.has_login and offer.code == wire.UNSUPPORTED_MECHANISM:
        raise KafkaSettingsError(
            f"security.mechanism: {address} does not offer {security.mechanism} (it offers: "
            f"{', '.join(offer.mechanisms)}). Choose one of these"
        )


def _log_in(sock: socket.socket, address: str, security: Security) -> None:
    login = get_sasl_mechanism(security.mechanism)(
        host=address, **Cluster(address, security).client_settings()
    )
    while not login.is_done():
        verdict = wire.send_proof(sock, login.auth_bytes())
        if verdict.code:
            raise _refused(address, security, verdict.reason)
        try:
            login.receive(verdict.challenge)
        except ValueError as error:  # a SCRAM broker that does not know the password itself
            raise _refused(address, security, str(error)) from error
    if not login.is_authenticated():
        raise _refused(address, security, "no reason given")


def _refused(address: str, security: Security, reason: str) -> KafkaSettingsError:
    if security.mechanism == "OAUTHBEARER":
        field, who = "token_command" if security.token_command else "token_variable", "the token"
    else:
        field, who = "password", f"user {security.username!r} by {security.mechanism}"
    return KafkaSettingsError(
        f"security.{field}: Kafka at {address} refuses {who} ({reason}). Correct the credentials"
    )


def _silent(address: str) -> KafkaUnreachableError:
    return KafkaUnreachableError(
        f"bootstrap_servers: {address} takes connections but does not answer within "
        f"{ANSWER_MS / 1000:.0f} s. Look at the broker's log, or correct the address"
    )


def _reason(error: OSError) -> str:
    """What OpenSSL or the system says, without the place in their source."""
    return str(getattr(error, "reason", None) or error.strerror or error)
