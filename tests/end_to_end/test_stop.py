"""Facts about stopping: a run that is interrupted drains, tells what it has, and ends well."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.loopback import only_loopback
from tests.servers import until

DEADLINE_SECONDS = 180.0


def demo(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """The demo in a process of its own."""
    command = [sys.executable, "-m", "pipelines.command_line", "demo", "--port", "0"]
    with only_loopback():
        return subprocess.Popen(
            [*command, "--output", str(folder), "--runner", "prism", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "COLUMNS": "200"},
        )


@pytest.mark.timeout(400)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_what_it_has_and_ends_well(
    tmp_path: Path, number: signal.Signals
) -> None:
    readings = tmp_path / "out" / "readings.jsonl"
    with demo(tmp_path / "out") as process:
        until(lambda: process.poll() is not None or readings.exists(), DEADLINE_SECONDS)
        process.send_signal(number)
        said, _ = process.communicate(timeout=DEADLINE_SECONDS)

    assert process.returncode == 0, said
    assert "Run cut short" in said
    assert "Traceback" not in said
