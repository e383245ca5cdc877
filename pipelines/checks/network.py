"""Checks of what a run talks to: its port, Kafka, the webhook."""

from __future__ import annotations

import socket
from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

from pipelines.checks.check import Check

TIMEOUT_SECONDS = 3.0
LISTENING = "0A"


def check_port(host: str, port: int) -> Check:
    """Whether the live page can have its port, and who has it if not."""
    name = f"Port {port}"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            return Check(name, False, "not allowed", "choose one above 1023: sinks.page.port")
        except OSError as error:
            holder = port_holder(port)
            found = f"taken by {holder}" if holder else f"cannot be had: {error.strerror}"
            return Check(name, False, found, "stop it, or choose another: sinks.page.port")
    return Check(name, True, f"free on {host}")


def port_holder(port: int, proc: Path = Path("/proc")) -> str | None:
    """Process id and command of whoever listens on `port`, as far as this user may see it."""
    sockets = {f"socket:[{inode}]" for inode in listening_inodes(port, proc)}
    for link in proc.glob("[0-9]*/fd/*"):
        try:
            if str(link.readlink()) not in sockets:
                continue
            process = link.parents[1]
            words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:  # gone meanwhile, or not ours to see
            continue
        return f"process {process.name} ({' '.join(words).strip()[:60]})"
    return "another user's process" if sockets else None


def listening_inodes(port: int, proc: Path) -> set[str]:
    """Socket inodes that listen on `port`, from the kernel's tables."""
    found = set()
    for table in (proc / "net/tcp", proc / "net/tcp6"):
        if not table.exists():
            continue
        for line in table.read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(fields[9])
    return found


def check_kafka(name: str, bootstrap_servers: str, topics: Collection[str], key: str) -> Check:
    """Whether a broker answers and has the topics; `key` is where the settings name it."""
    servers = bootstrap_servers.split(",")
    silence = [silence_of(*host_and_port(server)) for server in servers]
    if all(silence):
        found = f"{bootstrap_servers} does not answer ({silence[0]})"
        return Check(name, False, found, f"start the broker, or correct {key}.bootstrap_servers")
    try:
        missing = sorted(set(topics) - topics_of(servers))
    except (OSError, ValueError) as error:
        found = f"{bootstrap_servers} does not answer as Kafka does ({error})"
        return Check(name, False, found, f"correct {key}.bootstrap_servers")
    if missing:
        found = f"{bootstrap_servers} answers, topics missing: {', '.join(missing)}"
        return Check(name, False, found, "run `python -m deploy.kafka.topics create`")
    return Check(name, True, f"{bootstrap_servers} answers and has the topics")


def topics_of(servers: list[str]) -> set[str]:
    """The topics of a Kafka cluster.

    Raises:
        OSError: no broker, or it does not speak Kafka's protocol.
    """
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

    milliseconds = int(TIMEOUT_SECONDS * 1000)
    try:
        with KafkaAdminClient(
            bootstrap_servers=servers,
            bootstrap_timeout_ms=milliseconds,
            request_timeout_ms=milliseconds,
        ) as admin:
            return set(admin.list_topics())
    except KafkaError as error:
        raise OSError(type(error).__name__) from error


def host_and_port(server: str) -> tuple[str, int]:
    """The two halves of `host:port`; Kafka's own port where none is given."""
    parts = urlsplit(f"//{server.strip()}")
    return parts.hostname or "", parts.port or 9092


def silence_of(host: str, port: int) -> str | None:
    """Why nothing answers at an address, None when something does."""
    try:
        socket.create_connection((host, port), TIMEOUT_SECONDS).close()
    except OSError as error:
        return error.strerror or str(error)
    return None


def check_webhook(url: str) -> Check:
    """Whether something listens where alerts are posted to; nothing is sent."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    silence = silence_of(parts.hostname or "", port)
    if silence:
        found = f"{parts.hostname}:{port} does not answer ({silence})"
        return Check("Webhook", False, found, "start the receiver, or correct sinks.webhook.url")
    return Check("Webhook", True, f"{parts.hostname}:{port} answers")
