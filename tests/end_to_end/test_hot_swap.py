"""Facts about swapping the model of a running pipeline: each post is read once, by one model."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from deploy.kafka.broker import Broker
from deploy.kafka.topics import create_topics, read_topics
from models.model_pointer import point_at
from pipelines.command_line import OK, main
from tests.end_to_end.chaos.outputs import Outputs
from tests.end_to_end.kafka_runs import free_ports, running_broker
from tests.models.named_models import a_named_checkpoint, a_senseless_checkpoint

DEADLINE_SECONDS = 180.0
WORDS = ("good", "bad phone", "the phone is very good", "not bad", "very very bad")
pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]
SETTINGS = """
brands: [{{name: phone}}]
privacy: {{author_key: a-key-for-tests-alone}}
source:
  kafka: {{bootstrap_servers: "{servers}", start: earliest}}
model: {{checkpoint: {pointer}, threads: 1, refresh_seconds: 0.5}}
sinks:
  folder: {folder}
  kafka: {{bootstrap_servers: "{servers}"}}
flink: {{folder: {flink}, rest_port: {port}, checkpoint_seconds: 2, parallelism: 1}}
"""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with running_broker(tmp_path / "kafka") as broker:
        create_topics(broker.bootstrap_servers, read_topics())
        yield broker


@pytest.fixture
def models(tmp_path: Path) -> Path:
    home = tmp_path / "models"
    for seed, name in enumerate(("first", "second")):
        a_named_checkpoint(home / name, name, seed)
    a_senseless_checkpoint(home / "senseless")
    point_at(home / "current", home / "first")
    return home


class Feed:
    """Puts posts on the topic one by one, and knows how many."""

    def __init__(self, broker: Broker) -> None:
        self.producer: Any = KafkaProducer(bootstrap_servers=broker.bootstrap_servers)
        self.sent = 0

    def send(self, posts: int) -> None:
        for _ in range(posts):
            key = str(self.sent)
            post = {
                "post_id": key,
                "text": WORDS[self.sent % len(WORDS)],
                "created_at": 1_781_784_000 + self.sent,
                "author_id": key,
            }
            self.producer.send("posts", json.dumps(post).encode(), key=key.encode())
            self.sent += 1
        self.producer.flush()


@contextmanager
def running(settings: Path, runner: str) -> Iterator[subprocess.Popen[bytes]]:
    """The pipeline in a process of its own, ended like by Ctrl-C."""
    command = [sys.executable, "-m", "pipelines.command_line", "run"]
    with settings.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--settings", str(settings), "--runner", runner],
            stdout=log,
            stderr=log,
            env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
        )
    try:
        yield process
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE_SECONDS) == 0, settings.with_suffix(".log").read_text()
    finally:
        process.kill()
        process.wait()


def until(holds: Callable[[], bool], log: Path, each: Callable[[], None] = lambda: None) -> None:
    """Wait for a condition with a deadline, doing something between two looks."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, log.read_text()
        each()
        time.sleep(0.2)


@pytest.mark.parametrize("runner", ["prism", "flink"])
def test_a_running_pipeline_takes_another_model_and_refuses_a_bad_one(
    runner: str, broker: Broker, models: Path, tmp_path: Path
) -> None:
    settings = tmp_path / "moodwire.yaml"
    text = SETTINGS.format(
        servers=broker.bootstrap_servers,
        pointer=models / "current",
        folder=tmp_path / "out",
        flink=tmp_path / "flink",
        port=free_ports()[0],
    )
    settings.write_text(text)
    log, feed = settings.with_suffix(".log"), Feed(broker)
    outputs = Outputs(broker.bootstrap_servers, "")

    def by(*models: str) -> int:
        outputs.poll()
        return sum(model in models for _, model in readings(outputs))

    with running(settings, runner):
        feed.send(20)
        until(lambda: by("first") >= 20, log)
        point_at(models / "current", models / "senseless")  # past all checks of the command
        until(lambda: "is refused" in log.read_text(), log, each=lambda: feed.send(1))
        use = ["models", "use", str(models / "second"), "--pointer", str(models / "current")]
        assert main(use) == OK
        until(lambda: by("second") >= 20, log, each=lambda: feed.send(1))
        until(lambda: by("first", "second") >= feed.sent, log)
    outputs.close()
    feed.producer.close()

    read = readings(outputs)
    assert Counter(n for n, _ in read) == Counter(range(feed.sent))  # each once
    by_post = dict(read)
    assert {by_post[n] for n in range(20)} == {"first"}
    assert by_post[feed.sent - 1] == "second"


def readings(outputs: Outputs) -> list[tuple[int, str]]:
    """The number of each post that was read so far, and the model that read it."""
    records = [json.loads(written.value) for written in outputs.written["readings"]]
    return [(int(record["post_id"]), record["model"]) for record in records]
