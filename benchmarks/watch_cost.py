"""What it costs to watch a brand: `python -m benchmarks.watch_cost --help`.

A key is all that is kept of one brand between two windows: its detector, its open incident, its
usual words. Held as the bytes that Beam keeps; a window is read, scored, learned and written back.

  python -m benchmarks.watch_cost                        about a minute, 1 GB at 100,000 keys
  python -m benchmarks.watch_cost --keys 1000 10000      a first look
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.incident_kinds import HOUR
from benchmarks.incident_play import PERIOD, SIZE, TERMS
from benchmarks.incident_story import Timeline, tell
from benchmarks.machine import describe_in_words, describe_machine
from benchmarks.memory import megabytes
from benchmarks.reports import table, write_results
from models.detection.incidents import Watch
from models.detection.mood_detector import MoodDetector
from schemas.records import Trend, encode
from tests.builders import final_trends

LEARNED = 5 * HOUR  # more than the detector remembers window by window
MEASURED_WINDOWS = 60
MEASURED_KEYS = 5000  # of those held, so many meet a window
MARK = "watch-cost "


class Timed:
    """A part of the detector whose calls are timed."""

    def __init__(self, part: object) -> None:
        self.part, self.nanoseconds = part, 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.part, name)
        return self._timed(found) if callable(found) else found

    def _timed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            started = time.perf_counter_ns()
            try:
                return call(*arguments, **named)
            finally:
                self.nanoseconds += time.perf_counter_ns() - started

        return run


def measured_windows() -> tuple[list[Trend], list[Trend]]:
    """Windows to learn from, and those that are measured."""
    length = LEARNED + PERIOD * MEASURED_WINDOWS + SIZE
    windows = final_trends(list(tell(Timeline("noisy", 1, length))), SIZE, PERIOD)
    return windows[:-MEASURED_WINDOWS], windows[-MEASURED_WINDOWS:]


def learned_watch(windows: Iterable[Trend]) -> Watch:
    """What is known of a brand after those windows."""
    watch = Watch()
    for trend in windows:
        watch.learn_one(trend, TERMS.rules, PERIOD)
    return watch


def parts_of(detector: MoodDetector) -> dict[str, Any]:
    """The parts of the detector that are more than a number."""
    found = {name: getattr(detector, name) for name in detector.__struct_fields__}
    return {name: part for name, part in found.items() if isinstance(part, msgspec.Struct)}


def cost_of_parts() -> list[dict[str, Any]]:
    """Bytes of state and microseconds a window of each part of one brand's detector."""
    before, measured = measured_windows()
    watch = learned_watch(before)
    sizes = {
        name: len(msgspec.msgpack.encode(part)) for name, part in parts_of(watch.detector).items()
    }
    timed = {name: Timed(part) for name, part in parts_of(watch.detector).items()}
    for name, part in timed.items():
        setattr(watch.detector, name, part)
    started = time.perf_counter_ns()
    for trend in measured:
        watch.learn_one(trend, TERMS.rules, PERIOD)
    whole = time.perf_counter_ns() - started
    rows = [
        {"part": name, "bytes": sizes[name], "micros": _micros(part.nanoseconds, measured)}
        for name, part in timed.items()
    ]
    rest = whole - sum(part.nanoseconds for part in timed.values())
    terms = len(msgspec.msgpack.encode(watch.terms))
    return [
        *rows,
        {"part": "incident and words", "bytes": terms, "micros": _micros(rest, measured)},
    ]


def _micros(nanoseconds: int, windows: list[Trend]) -> float:
    return round(nanoseconds / 1000 / len(windows), 1)


def cost_of(keys: int) -> dict[str, Any]:
    """Memory of so many keys as bytes, and the processor time of a window."""
    before, measured = measured_windows()
    data = msgspec.msgpack.encode(learned_watch(before))
    decoder = msgspec.msgpack.Decoder(Watch)
    resident = megabytes(os.getpid()) or 0.0
    held = [bytes(bytearray(data)) for _ in range(keys)]
    grown = (megabytes(os.getpid()) or 0.0) - resident
    some = range(0, keys, max(1, keys // MEASURED_KEYS))
    started = time.process_time()
    for number in some:
        watch = decoder.decode(held[number])
        watch.learn_one(measured[0], TERMS.rules, PERIOD)
        held[number] = msgspec.msgpack.encode(watch)
    spent = time.process_time() - started
    return {
        "keys": keys,
        "megabytes": round(grown, 1),
        "bytes_of_state": len(data),
        "bytes_in_memory": round(grown * 2**20 / keys),
        "micros_a_window": round(spent / len(some) * 1e6),
        "bytes_of_a_pending_window": len(encode(measured[0])),
    }


def measure(sizes: Iterable[int]) -> list[dict[str, Any]]:
    """The cost at each number of keys, each in a process of its own."""
    found = []
    for keys in sizes:
        command = [sys.executable, "-m", "benchmarks.watch_cost", "--one", str(keys)]
        shown = subprocess.run(command, capture_output=True, text=True, check=True)
        line = next(line for line in shown.stdout.splitlines() if line.startswith(MARK))
        found.append(json.loads(line.removeprefix(MARK)))
        print(found[-1], flush=True)
    return found


def write_report(results: dict[str, Any], folder: Path) -> None:
    """The figures as JSON and Markdown."""
    parts = [
        "# What it costs to watch a brand",
        describe_in_words(results["machine"]),
        f"Windows of {SIZE} s every {PERIOD} s. A key is the detector of one brand with its words, "
        "as the bytes that Beam keeps; memory is what a process grew by. A window: read the bytes, "
        f"score, learn, write them back ({MEASURED_KEYS:,} of the keys meet one). Windows that "
        "late posts may still change are kept beside it, one for each period of the allowed "
        "lateness, each of the size in the last column. Made by `python -m benchmarks.watch_cost`.",
        table(
            ["keys", "MB", "bytes of state", "bytes in memory", "µs a window", "bytes pending"],
            [[f"{value:,}" for value in row.values()] for row in results["keys"]],
        ),
        "## By part",
        "Score and learn of one window of one brand, without reading and writing the bytes.",
        table(
            ["part", "bytes of state", "µs a window"],
            [[one["part"], f"{one['bytes']:,}", f"{one['micros']}"] for one in results["parts"]],
        ),
    ]
    write_results(results, "\n\n".join(parts) + "\n", folder, "watch-cost")


def main() -> None:
    """Measure, write the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keys", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    args = parser.parse_args()
    if args.one:
        print(MARK + json.dumps(cost_of(args.one)))
        return
    machine = describe_machine()
    results = {"machine": machine, "keys": measure(args.keys), "parts": cost_of_parts()}
    write_report(results, args.output)


if __name__ == "__main__":
    main()
