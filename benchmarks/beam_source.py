"""Beam's own Kafka source without containers: its Java parts in a service that also works."""

from __future__ import annotations

import argparse
import atexit
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.io.kafka import ReadFromKafka

from deploy.jars import find_java
from deploy.processes import REPOSITORY, is_listening, run, wait

POM = Path(__file__).with_name("pom.xml")
JARS = REPOSITORY / ".tools" / "beam-kafka" / "lib"
SERVICE = "org.apache.beam.sdk.expansion.service.ExpansionService"


def resolve_beam_jars() -> Path:
    """Beam's Kafka source and its expansion service, fetched by Maven when absent."""
    if not any(JARS.glob("beam-sdks-java-io-kafka-*.jar")):
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={JARS}"]
        run(["mvn", "-q", "-B", "-f", str(POM), *goal, "-DincludeScope=runtime"])
    return JARS


def read_with_beam(pipeline: beam.Pipeline, job: argparse.Namespace) -> Any:
    """Keys and values of the topic from its beginning."""
    source = ReadFromKafka(
        consumer_config={
            "bootstrap.servers": job.kafka,
            "auto.offset.reset": "earliest",
            "group.id": job.group,
            "isolation.level": "read_committed",
        },
        topics=[job.topic],
        expansion_service=f"localhost:{_start_service()}",
    )
    return pipeline | "Read" >> source


def _start_service() -> int:
    """Start the service as a child that ends with this process; its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    java = [find_java("Beam's Kafka source"), "-Xmx1g", "-cp", f"{resolve_beam_jars()}/*"]
    service = subprocess.Popen([*java, SERVICE, str(port), "--alsoStartLoopbackWorker"])
    atexit.register(service.kill)
    wait(lambda: is_listening(port), 120)
    time.sleep(1)  # the worker beside it
    return port
