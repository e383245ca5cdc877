"""Whole runs of the `moodwire` command in processes of their own, and what they left behind."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.commands import DEMO
from tests.end_to_end.loopback import only_loopback
from transforms.channels.registry import event_time_of
from transforms.ingest import Line, deliver, read_lines

DEADLINE_SECONDS = 900
SHUFFLE_SECONDS = 3000  # below the allowed lateness of an hour


@dataclass(frozen=True)
class Run:
    """A finished run: how it ended, what it said, and its folder."""

    code: int
    said: str
    folder: Path

    def records(self, name: str) -> list[dict[str, Any]]:
        """The records of one file of the run folder."""
        path = self.folder / name
        return [json.loads(line) for line in path.read_bytes().splitlines()]

    def final(self, name: str) -> set[str]:
        """The final records of one file, as the bytes that were written."""
        lines = (self.folder / name).read_text("utf-8").splitlines()
        return {line for line in lines if json.loads(line)["final"]}


def moodwire(folder: Path, *arguments: str, isolated: bool = True) -> Run:
    """Run `moodwire` with `arguments`; isolated, it sees a 127.0.0.1 of its own alone."""
    command = [sys.executable, "-m", "pipelines.command_line", *arguments]
    with only_loopback() if isolated else nullcontext():
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
        )
    return Run(done.returncode, done.stdout + done.stderr, folder)


def replay(posts: Path, folder: Path, runner: str, *more: str) -> Run:
    """Replay `posts` with the demo's settings."""
    settings = str(DEMO / "moodwire.yaml")
    arguments = ("replay", str(posts), "--settings", settings, "--output", str(folder))
    return moodwire(folder, *arguments, "--runner", runner, *more)


def hours_of_demo(folder: Path, first: float, last: float) -> Path:
    """The demo's posts of some hours of its day, those in time alone, beside its images."""
    shutil.copytree(DEMO / "images", folder / "images")
    chosen: list[bytes] = []
    newest = 0.0
    for line in read_lines((str(DEMO / "posts.jsonl.gz"),)):
        moment = moment_of(line)
        if moment is None or moment < newest - SHUFFLE_SECONDS / 2:
            continue
        newest = max(newest, moment)
        if first <= moment % 86_400 / 3600 < last:
            chosen.append(line.value)
    (folder / "posts.jsonl").write_bytes(b"\n".join(chosen) + b"\n")
    return folder / "posts.jsonl"


def shuffled(posts: Path, seed: int) -> Path:
    """The same posts beside them, each late by up to fifty minutes."""
    chance = random.Random(seed)
    lines = list(read_lines((str(posts),)))
    delays = [(moment_of(line) or 0) + chance.uniform(0, SHUFFLE_SECONDS) for line in lines]
    order = sorted(range(len(lines)), key=delays.__getitem__)
    path = posts.with_name("shuffled.jsonl")
    path.write_bytes(b"\n".join(lines[number].value for number in order) + b"\n")
    return path


def moment_of(line: Line) -> float | None:
    """Event time of a line in epoch seconds."""
    return deliver(line, None, event_time_of).event_time
