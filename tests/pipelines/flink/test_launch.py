"""Facts about following a job: a question that Flink cannot answer now ends nothing."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from pipelines.flink import launch
from pipelines.flink.engine import Engine
from pipelines.flink.launch import Following, Launch
from pipelines.flink.settings import FlinkSettings
from tests.servers import serving

JOB = {"jid": "a1", "name": "moodwire", "start-time": 1}
NO_CHECKPOINTS: dict[str, Any] = {"latest": {"completed": None, "savepoint": None}}
ANSWERS: dict[str, Any] = {"/jobs/a1": {"vertices": []}, "/jobs/a1/checkpoints": NO_CHECKPOINTS}


class Looks:
    """Counts the looks that brought counters."""

    def __init__(self) -> None:
        self.count = 0

    def update(self, counters: dict[str, int]) -> None:
        self.count += 1


@pytest.mark.parametrize("refused", ["/jobs/a1", "/jobs/a1/checkpoints"])
def test_a_busy_job_manager_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    monkeypatch.setattr(launch, "POLL_SECONDS", 0.01)
    overviews = 0

    class Flink(BaseHTTPRequestHandler):
        """Refuses in the first two looks, as Flink does what took too long; ends in the fourth."""

        def do_GET(self) -> None:
            nonlocal overviews
            overviews += self.path == "/jobs/overview"
            state = "FINISHED" if overviews == 4 else "RUNNING"
            answers = {"/jobs/overview": {"jobs": [{**JOB, "state": state}]}, **ANSWERS}
            busy = self.path == refused and overviews < 3
            body = {"errors": ["<Exception on server side:"]} if busy else answers[self.path]
            self.send_response(500 if busy else 200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            return None

    with serving(Flink) as url:
        settings = FlinkSettings(
            master=url.removeprefix("http://"), workers="localhost:1", folder=str(tmp_path)
        )
        following, looks = Following(Engine(settings), Launch("a1")), Looks()

        assert following.follow(looks, threading.Event())
    assert looks.count >= 1
