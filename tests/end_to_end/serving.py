"""`moodwire serve`, `exporter` or `deliver` in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.end_to_end.kafka_runs import DEADLINE_SECONDS
from tests.pipelines.delivery.receiver import SECRET
from tests.servers import free_port


@contextmanager
def serving(
    settings: Path, log: Path, *arguments: str, command: str = "serve", **variables: str
) -> Iterator[str]:
    """Serve what the settings name; yields the address. It must end well."""
    port = free_port()
    line = [sys.executable, "-m", "pipelines.command_line", command, "--settings", str(settings)]
    env = {**os.environ, **variables}
    with log.open("ab") as out:
        process = subprocess.Popen(
            [*line, "--port", str(port), *arguments], stdout=out, stderr=out, env=env
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(DEADLINE_SECONDS)
    assert code == 0, log.read_text()


@contextmanager
def delivering(
    settings: Path, log: Path, end: signal.Signals = signal.SIGINT, metrics_port: int = 0
) -> Iterator[None]:
    """`moodwire deliver` in a process of its own, which is ended by a signal."""
    command = [sys.executable, "-m", "pipelines.command_line", "deliver"]
    command += ["--metrics-port", str(metrics_port), "--settings", str(settings)]
    env = {**os.environ, "DESK_SECRET": SECRET}
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=env)
    try:
        yield
    finally:
        process.send_signal(end)
        code = process.wait(DEADLINE_SECONDS)
    assert code == (0 if end == signal.SIGINT else -end), log.read_text()
