"""Checks of what a run talks to: its port, Kafka, whom alerts go to."""

from __future__ import annotations

import socket
from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

from pipelines.checks.check import Check
from transforms.kafka.cluster import Cluster, KafkaSettingsError

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


def check_kafka_source(cluster: Cluster, topics: Collection[str]) -> Check:
    """Whether a broker answers and has the topics that posts come from."""
    from transforms.kafka.connection import check_source

    try:
        check_source(cluster, topics)
    except KafkaSettingsError as error:
        return refused("Kafka source", error)
    return Check("Kafka source", True, f"{cluster.bootstrap_servers} answers and has the topics")


def check_kafka_sink(cluster: Cluster, topics: Collection[str]) -> Check:
    """Whether a broker answers and has the topics that records go to."""
    from transforms.kafka.connection import connect

    try:
        with connect(cluster, "moodwire-doctor", "sinks.kafka") as consumer:
            missing = sorted(set(topics) - consumer.topics())
    except KafkaSettingsError as error:
        return refused("Kafka sink", error)
    if missing:
        found = f"topics missing at {cluster.bootstrap_servers}: {', '.join(missing)}"
        return Check("Kafka sink", False, found, "run `python -m deploy.kafka.topics create`")
    return Check("Kafka sink", True, f"{cluster.bootstrap_servers} answers and has the topics")


def refused(name: str, error: ValueError) -> Check:
    """A finding from a message that ends with the remedy as its last sentence."""
    found, _, remedy = str(error).partition(". ")
    return Check(name, False, found, remedy)


def check_address(name: str, url: str, setting: str) -> Check:
    """Whether something listens at an address that alerts are sent to; nothing is sent."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = f"{parts.hostname}:{port}"
    try:
        socket.create_connection((parts.hostname or "", port), TIMEOUT_SECONDS).close()
    except OSError as error:
        remedy = f"start it, or correct {setting}"
        return Check(name, False, f"{address} does not answer ({error})", remedy)
    return Check(name, True, f"{address} answers")
