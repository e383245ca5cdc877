"""`moodwire run --runner flink` as a process: started, killed alone or with its Flink."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.processes import REPOSITORY
from pipelines.flink.rest import Checkpoint, FlinkRefusedError, FlinkRest, FlinkUnreachableError

START_SECONDS = 240.0
COMMAND = [sys.executable, "-m", "pipelines.command_line"]


class RunLostError(RuntimeError):
    """The run cannot be judged: what should have happened did not, and why."""


@dataclass
class Launcher:
    """The launcher of one job.

    Attributes:
        rest: address of the job manager that the job runs at.
        starts: how often it was started.
    """

    settings: Path
    job_name: str
    rest: str
    starts: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def log(self) -> Path:
        """What it said, over all of its starts."""
        return self.settings.with_name("launcher.log")

    @property
    def is_alive(self) -> bool:
        """Whether it still follows its job."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start it and wait until its job runs."""
        self.starts += 1
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*COMMAND, "run", "--settings", str(self.settings), "--runner", "flink"],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                cwd=REPOSITORY,
                env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
            )
        self.until(self.is_running, "the job does not run", START_SECONDS)

    def command(self, *words: str) -> str:
        """What `moodwire` says to another command with the same settings."""
        done = subprocess.run(
            [*COMMAND, *words, "--settings", str(self.settings)],
            capture_output=True,
            text=True,
            check=False,
            timeout=START_SECONDS,
            cwd=REPOSITORY,
        )
        if done.returncode:
            raise RunLostError(f"moodwire {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def kill(self) -> None:
        """Kill -9, of the launcher alone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def kill_all(self) -> None:
        """Kill -9 of it and of all that it started, at once."""
        if self.process is None:
            return
        for pid in (self.process.pid, *_descendants(self.process.pid)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()

    def await_end(self) -> None:
        """Wait until it ends by itself."""
        assert self.process is not None
        self.process.wait(START_SECONDS)

    def end(self) -> None:
        """Cancel the job, whatever state it is in, and end the launcher."""
        try:
            for job in FlinkRest(self.rest).jobs():
                if job.name == self.job_name and job.is_alive:
                    FlinkRest(self.rest).cancel(job.job_id)
        except (FlinkUnreachableError, FlinkRefusedError):
            pass  # it went with its launcher
        self.kill_all()

    def job_ids(self) -> list[str]:
        """Every job of that name that the job manager remembers."""
        return [job.job_id for job in FlinkRest(self.rest).jobs() if job.name == self.job_name]

    def is_running(self) -> bool:
        """Whether all of the job runs; raises RunLostError where its launcher has ended."""
        if self.process is not None and self.process.poll() not in (None, 0):
            raise RunLostError(f"the launcher ended: {self.log.read_text()[-2000:]}")
        try:
            job = FlinkRest(self.rest).find(self.job_name)
        except FlinkUnreachableError:
            return False
        return job is not None and job.state == "RUNNING"

    def checkpoint(self) -> Checkpoint | None:
        """The newest completed one."""
        try:
            rest = FlinkRest(self.rest)
            job = rest.find(self.job_name)
            return rest.newest_checkpoint(job.job_id) if job else None
        except (FlinkUnreachableError, FlinkRefusedError):
            return None

    def until(self, ready: Callable[[], bool], problem: str, seconds: float) -> None:
        """Wait for a condition.

        Raises:
            RunLostError: it did not come true in time.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > deadline:
                raise RunLostError(f"{problem} within {seconds:.0f} s ({self.log})")
            time.sleep(0.2)


def _descendants(pid: int) -> list[int]:
    listed: Any = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout
    rows = [tuple(map(int, row.split())) for row in listed.splitlines()]
    found: list[int] = []
    wanted = {pid}
    while wanted:
        wanted = {child for child, parent in rows if parent in wanted}
        found += wanted
    return found
