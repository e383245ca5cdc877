"""What a process of `moodwire score` costs: `python -m benchmarks.score_cost`."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.demo_stream import DEMO
from benchmarks.reports import table
from deploy.processes import REPOSITORY
from models.checkpoint import DEFAULT_CHECKPOINT
from pipelines.command_line import INCOMPLETE, OK

_RUNS = 5
_POST = b'{"post_id": "1", "text": "Aerolume lost my bag. Again."}\n'
_LOAD = """
import time; started = time.perf_counter()
from models.checkpoint import DEFAULT_CHECKPOINT
from models.scorer import ScoreInput, Scorer
Scorer.load(DEFAULT_CHECKPOINT).score([ScoreInput("once")])
print(time.perf_counter() - started)
"""


class Cost(NamedTuple):
    """Of one process from start to end."""

    seconds: float
    peak_megabytes: float


def score(posts: Path, folder: Path) -> Cost:
    """One `moodwire score` of a file.

    Raises:
        RuntimeError: it failed.
    """
    files = ["--input", str(posts), "--output", str(folder / "readings.jsonl")]
    command = [sys.executable, "-m", "pipelines.command_line", "score", *files]
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (OK, INCOMPLETE):  # a few lines of the demo are bad on purpose
        raise RuntimeError(f"moodwire score ended with {process.returncode}")
    return Cost(time.perf_counter() - started, usage.ru_maxrss / 1024)


def load_seconds() -> float:
    """Imports, load and first answer of the scorer in a fresh process."""
    command = [sys.executable, "-c", _LOAD]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return float(done.stdout)


def main() -> None:
    """Measures and prints."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "one.jsonl").write_bytes(_POST)
        ones = [score(folder / "one.jsonl", folder) for _ in range(_RUNS)]
        day = score(DEMO / "posts.jsonl.gz", folder)
    loads = statistics.median(load_seconds() for _ in range(_RUNS))
    files = sum(file.stat().st_size for file in DEFAULT_CHECKPOINT.iterdir())
    weights = (DEFAULT_CHECKPOINT / "weights.safetensors").stat().st_size
    one = [statistics.median(values) for values in zip(*ones, strict=True)]
    print(
        table(
            ["", "seconds", "peak MB"],
            [
                ["load the scorer and read one text", f"{loads:.2f}", ""],
                ["`moodwire score`, one post", f"{one[0]:.2f}", f"{one[1]:.0f}"],
                ["`moodwire score`, a day of the demo", f"{day.seconds:.1f}", f"{day[1]:.0f}"],
            ],
        )
    )
    print(f"checkpoint {files / 1e6:.1f} MB on disk, of that weights {weights / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
