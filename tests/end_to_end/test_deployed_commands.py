"""The commands of the manifests, run beside a real broker: they answer to the probes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from deploy.kafka.topics import create_topics, read_topics
from schemas.records import encode
from tests.dashboards.incidents import an_alert
from tests.deploy.overlays import asked_of, configured, deployed
from tests.end_to_end.kafka_runs import DEADLINE_SECONDS, producer_of, running_broker, until
from tests.pipelines.delivery.receiver import SECRET, a_desk
from tests.servers import free_port


def local_settings(name: str, servers: str, file: Path, **delivery: Any) -> Path:
    """A Deployment's settings, with the broker, the folder and the receiver of this machine."""
    settings = yaml.safe_load(configured("delivering", name))
    settings["sinks"]["kafka"] = {"bootstrap_servers": servers}
    if "flink" in settings:
        settings["flink"]["master"] = "127.0.0.1:1"
    if "delivery" in settings:
        settings["delivery"]["state"] = str(file.with_suffix(".sqlite"))
        settings["delivery"]["webhooks"][0] |= delivery
    file.write_text(yaml.safe_dump(settings))
    return file


def answers(name: str, url: str) -> bool:
    """Whether both probes of a Deployment succeed, asked as the kubelet would."""
    (container,) = deployed("delivering")[name]["spec"]["containers"]
    for probe in ("livenessProbe", "readinessProbe"):
        asked = container[probe]["httpGet"]
        headers = {header["name"]: header["value"] for header in asked.get("httpHeaders", ())}
        try:
            answer = httpx.get(f"{url}{asked['path']}", headers=headers, timeout=10)
        except httpx.ConnectError:
            return False
        if answer.status_code != 200:
            return False
    return True


@contextmanager
def started(name: str, settings: Path, *more: str) -> Iterator[None]:
    """What a Deployment asks for, in a process that listens on this machine alone."""
    here = {"/etc/moodwire/moodwire.yaml": str(settings), "0.0.0.0": "127.0.0.1"}
    command = [here.get(word, word) for word in asked_of(deployed("delivering")[name])]
    env = {**os.environ, "MOODWIRE_WEBHOOK_SECRET": SECRET}
    with settings.with_suffix(".log").open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.command_line", *command, *more],
            stdout=out,
            stderr=out,
            env=env,
        )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)  # as the kubelet ends it
        process.wait(DEADLINE_SECONDS)


@pytest.mark.timeout(600)
def test_what_the_manifests_start_answers_to_its_probes_and_tells_people(tmp_path: Path) -> None:
    with running_broker(tmp_path / "kafka") as broker, a_desk() as desk:
        create_topics(broker.bootstrap_servers, read_topics())
        with producer_of(broker) as producer:
            producer.send("alerts", key=b"a1", value=encode(an_alert("a1", "Zephyr")))

        for name in ("exporter", "page"):
            settings = local_settings(name, broker.bootstrap_servers, tmp_path / f"{name}.yaml")
            port, log = free_port(), tmp_path / f"{name}.log"
            url = f"http://127.0.0.1:{port}"
            with started(name, settings, f"--port={port}"):
                until(partial(answers, name, url), log)
                shown = {
                    host: httpx.get(f"{url}/", headers={"Host": host}).status_code
                    for host in ("moodwire.example", "evil.example")
                }
            assert shown["evil.example"] == 400
            assert shown["moodwire.example"] == (200 if name == "page" else 400)
        receiver = {"url": desk.url, "allow_private_addresses": True}
        settings = local_settings(
            "deliver", broker.bootstrap_servers, tmp_path / "deliver.yaml", **receiver
        )
        with started("deliver", settings, "--from-start"):
            until(lambda: len(desk.requests) == 1, tmp_path / "deliver.log")

    desk.requests[0].verify()
    assert b"Zephyr" in desk.requests[0].body
