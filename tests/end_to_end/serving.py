"""`moodwire serve` or `exporter` in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.end_to_end.kafka_runs import DEADLINE_SECONDS
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
