"""What a run should come to: a bounded run in memory over the same offsets."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

from deploy.processes import REPOSITORY
from tests.end_to_end.chaos.compare import Kinds
from tests.end_to_end.chaos.configured import write_settings
from tests.end_to_end.chaos.launcher import RunLostError
from tests.end_to_end.chaos.outputs import create_run_topics, read_folder, read_topic
from tests.end_to_end.chaos.player import Player
from tests.end_to_end.chaos.stream import Stream, digest

SECONDS = 900
CODE = ("pipelines", "transforms", "models", "schemas")
Records = list[tuple[Any, ...]]


def of_stream(servers: str, stream: Stream, cached: Path) -> tuple[str, Kinds]:
    """The reference of a stream and the hash of its records, made once for each version of it."""
    known = cached / f"{code_hash()}-{digest([*stream.records, *stream.closing])}"
    if not (known / "hash").exists():
        name = f"reference-{os.urandom(3).hex()}"
        topic = f"{name}-posts"
        create_run_topics(servers, f"{name}-")
        player = Player(servers, topic, stream)
        player.released.set()
        player.play()
        of_topic(servers, topic, known)
        (known / "hash").write_text(digest(read_topic(servers, topic)))
    return (known / "hash").read_text(), read_folder(known / "out")


def of_topic(
    servers: str,
    topic: str,
    folder: Path,
    records: Records | None = None,
    engine: str = "auto",
) -> Kinds:
    """The reference over a topic as it is now, from its first offsets up to explicit ones."""
    shutil.rmtree(folder, ignore_errors=True)
    stops: dict[int, int] = {}
    for partition, offset, *_ in records or read_topic(servers, topic):
        stops[partition] = offset + 1
    settings = write_settings(
        folder / "moodwire.yaml",
        folder.name,
        source={
            "bootstrap_servers": servers,
            "topics": [topic],
            "start": "earliest",
            "stop": {topic: stops},
        },
        sinks={"folder": str(folder / "out")},
        engine=engine,
    )
    command = [sys.executable, "-m", "pipelines.command_line", "run", "--runner", "in-memory"]
    done = subprocess.run(
        [*command, "--settings", str(settings)],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        cwd=REPOSITORY,
    )
    (folder / "reference.log").write_text(done.stdout + done.stderr)
    if done.returncode not in (0, 3):
        raise RunLostError(f"the reference failed: {(done.stdout + done.stderr)[-2000:]}")
    return read_folder(folder / "out")


@cache
def code_hash() -> str:
    """Which version of the pipeline this is."""
    seen = hashlib.sha256()
    for folder in CODE:
        for file in sorted((REPOSITORY / folder).rglob("*.py")):
            seen.update(file.read_bytes())
    return seen.hexdigest()[:12]
