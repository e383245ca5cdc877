"""Runs one alternative in a process of its own and measures it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks.counting import Seen, count_notes, read_notes, sum_up
from benchmarks.memory import cpu_seconds, descendants, megabytes, peaks
from benchmarks.own_stack import end
from deploy.processes import REPOSITORY
from deploy.stack import Stack
from pipelines.flink.rest import FlinkRest
from pipelines.settings import SettingsError

LOOK_SECONDS = 0.5
MOST_MEGABYTES = 8_000.0  # of one run: others use the machine too


class DidNotRunError(RuntimeError):
    """An alternative gave no result; the message says why."""


@dataclass(frozen=True)
class Alternative:
    """One way to read a topic: a raw client, or a pipeline by its arguments."""

    name: str
    module: str
    arguments: tuple[str, ...]

    @property
    def is_raw(self) -> bool:
        """Whether no pipeline is around the client."""
        return self.module.endswith("raw_clients")

    @property
    def needs_cluster(self) -> bool:
        """Whether it runs on the Flink cluster of the stack."""
        return "flink-cluster" in self.arguments


@dataclass(frozen=True)
class Measured:
    """One run: rate of its steady stretch, time before it, what it used.

    `cpu_micros` is the processor time of the Python that reads, per record; `all_cpu_micros` that
    of every process of the engine, JVMs and start included.
    """

    records: int
    rate: float
    seconds: float
    start_seconds: float
    cpu_micros: float
    all_cpu_micros: float
    peak_megabytes: dict[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def measure(
    stack: Stack,
    alternative: Alternative,
    topic: str,
    records: int,
    *,
    limit_seconds: float = 300.0,
    finish: Callable[[list[list[float]], str], None] = lambda notes, job_name: None,
) -> Measured:
    """Run `alternative` until it has seen `records`; `finish` looks before it is ended.

    Raises:
        DidNotRunError: it ended early, or had not seen all within the limit.
    """
    name = f"bench-{uuid4().hex[:8]}"
    output = stack.home / "runs" / name
    command = [sys.executable, "-m", alternative.module, *alternative.arguments]
    command += ["--kafka", stack.broker.bootstrap_servers, "--topic", topic]
    command += ["--output", str(output)]
    command += ["--records", str(records)] if alternative.is_raw else ["--group", name]
    if alternative.needs_cluster:
        command += ["--master", stack.flink.rest, "--workers", stack.flink.pool]
    log = stack.home / f"{name}.log"
    started = time.time()
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, cwd=REPOSITORY)
    try:
        _await_all(process, output, records, limit_seconds, log)
        notes = read_notes(output)
        finish(notes, name)
        family = _family(stack, alternative, process)
        cpu = sum(cpu_seconds(pid) for pid in family)
        return _measured(sum_up(notes), started, cpu, peaks(family))
    finally:
        if alternative.needs_cluster:
            cancel(stack, name)
        end_tree(process)
        shutil.rmtree(output, ignore_errors=True)


def _measured(seen: Seen, started: float, cpu: float, memory: dict[str, float]) -> Measured:
    return Measured(
        records=seen.records,
        rate=round(seen.rate, 1),
        seconds=round(seen.last - seen.first, 3),
        start_seconds=round(seen.first - started, 2),
        cpu_micros=round(seen.cpu_micros, 2),
        all_cpu_micros=round(cpu / seen.records * 1e6, 2),
        peak_megabytes=memory,
    )


def _await_all(
    process: subprocess.Popen[bytes], output: Path, records: int, limit_seconds: float, log: Path
) -> None:
    deadline = time.monotonic() + limit_seconds
    while (seen := count_notes(output)) < records:
        if process.poll() not in (None, 0):
            raise DidNotRunError(f"ended early: {last_words(log)}")
        used = sum(megabytes(pid) or 0.0 for pid in descendants(process.pid))
        if used > MOST_MEGABYTES:
            raise DidNotRunError(f"{used:,.0f} MB in use after {seen:,} of {records:,} records")
        if time.monotonic() > deadline:
            raise DidNotRunError(
                f"{seen:,} of {records:,} records in {limit_seconds:.0f} s: {last_words(log)}"
            )
        time.sleep(LOOK_SECONDS)


def last_words(log: Path) -> str:
    """The last line that a process said."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][-300:] if lines else "it said nothing"


def _family(stack: Stack, alternative: Alternative, process: subprocess.Popen[bytes]) -> list[int]:
    """Every process that worked for this run, without the broker."""
    family = descendants(process.pid) if process.poll() is None else []
    if not alternative.needs_cluster:
        return family
    servers = [part.pid() for name, part in stack.flink.parts().items() if name != "zookeeper"]
    return [*(pid for pid in servers if pid), *stack.flink.workers()]


def cancel(stack: Stack, job_name: str, seconds: float = 60.0) -> None:
    """End the job of that name and wait until it has gone, workers included."""
    rest = FlinkRest(stack.flink.rest)
    deadline = time.monotonic() + seconds
    with suppress(SettingsError, RuntimeError):
        while (job := rest.find(job_name)) and time.monotonic() < deadline:
            if job.state == "RUNNING":
                rest.cancel(job.job_id)
            time.sleep(1)
    while stack.flink.workers() and time.monotonic() < deadline:
        time.sleep(1)


def end_tree(process: subprocess.Popen[bytes]) -> None:
    """End a process and what came of it."""
    family = descendants(process.pid) if process.poll() is None else []
    end(process)
    for pid in family[1:]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
