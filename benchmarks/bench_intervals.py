"""Do 95 % intervals of trends hold? `python -m benchmarks.bench_intervals --help`.

Draws windows of posts from a population whose moods are known, in which authors repeat themselves,
texts are reposted and the model abstains, sends them through the tallies of the product, and counts
how often the interval of each figure holds the true mean of all people. An honest interval does
in 95 of 100 windows. Beside it: the same intervals if every post were a voice of its own.

  python -m benchmarks.bench_intervals                   about 2 minutes on two cores
  python -m benchmarks.bench_intervals --rounds 300      a first look, 20 seconds
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from benchmarks.machine import describe_in_words, describe_machine
from benchmarks.reports import table, write_results
from benchmarks.simulated_windows import CROWDS, NAMES, Crowd, draw_window, truth_of
from models.detection.repeats import Repeats
from schemas.records import Estimate, Trend
from transforms.tally import Tally

KEY = ("simulated", "*", "*", "*")
LEAST_DECIDED = 8  # posts that a window needs to be judged at all


class Coverage(NamedTuple):
    """How often each interval held the truth, and how wide it was on average."""

    crowd: str
    windows: int
    held: dict[str, float]
    held_if_independent: dict[str, float]
    width: dict[str, float]


def estimates_of(tally: Tally) -> dict[str, Estimate]:
    """The intervals that a trend shows, by `NAMES`."""
    trend: Trend = tally.trend(KEY, 0, 300, "final")
    return {"share negative": trend.share_negative, "valence": trend.valence, **trend.mood}


def cover(crowd: Crowd, rounds: int, seed: int = 1) -> Coverage:
    """Coverage over so many windows of a crowd."""
    rng = np.random.default_rng([seed, *crowd.name.encode()])
    truth = dict(zip(NAMES, truth_of(crowd.unclear), strict=True))
    ours, naive = dict.fromkeys(NAMES, 0), dict.fromkeys(NAMES, 0)
    width, windows = dict.fromkeys(NAMES, 0.0), 0
    for _ in range(rounds):
        tally = Tally()
        for sample in draw_window(crowd, rng):
            tally.learn_one(sample)
        if tally.posts - tally.abstained < LEAST_DECIDED:
            continue
        windows += 1
        independent = msgspec.structs.replace(tally, repeats=Repeats())
        pairs = zip(estimates_of(tally).items(), estimates_of(independent).values(), strict=True)
        for (name, found), other in pairs:
            ours[name] += found.low <= truth[name] <= found.high
            naive[name] += other.low <= truth[name] <= other.high
            width[name] += found.high - found.low
    return Coverage(
        crowd.name,
        windows,
        _shares(ours, windows),
        _shares(naive, windows),
        _shares(width, windows),
    )


def _shares(totals: dict[str, Any], windows: int) -> dict[str, float]:
    return {name: round(total / windows, 4) for name, total in totals.items()}


def cover_all(crowds: Iterable[Crowd], rounds: int, jobs: int) -> list[Coverage]:
    """Coverage of each crowd, told on the terminal as it becomes known."""
    found = {}
    with ProcessPoolExecutor(jobs) as pool:
        waiting = {pool.submit(cover, crowd, rounds): crowd for crowd in crowds}
        for done in as_completed(waiting):
            coverage = done.result()
            found[coverage.crowd] = coverage
            print(" · ".join(_row(coverage)), flush=True)
    return [found[crowd.name] for crowd in waiting.values()]


def mean_coverage(found: Iterable[Coverage]) -> dict[str, float]:
    """Coverage of each figure over all crowds."""
    every = list(found)
    return {name: round(sum(one.held[name] for one in every) / len(every), 4) for name in NAMES}


def _row(found: Coverage) -> list[str]:
    shown = [f"{found.held[name]:.1%}" for name in NAMES]
    return [found.crowd, *shown, f"{found.held_if_independent['valence']:.1%}"]


def write_report(results: dict[str, Any], found: list[Coverage], folder: Path) -> None:
    """The figures as JSON and Markdown."""
    means = mean_coverage(found)
    last = ["all", *(f"{means[name]:.1%}" for name in NAMES), ""]
    parts = [
        "# Intervals: how often they hold the truth",
        describe_in_words(results["machine"]),
        f"Share of {results['rounds']:,} simulated windows in which the 95 % interval of a trend "
        "holds the true mean. Last column: valence, if every post were taken for a voice of its "
        "own. Made by `python -m benchmarks.bench_intervals`.",
        table(["window", *NAMES, "valence, naive"], [*map(_row, found), last]),
    ]
    write_results(results, "\n\n".join(parts) + "\n", folder, "intervals")


def main() -> None:
    """Draw, count, write the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=2000, help="windows of each crowd (2000)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes (all cores)")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    args = parser.parse_args()
    machine = describe_machine()
    found = cover_all(CROWDS, args.rounds, args.jobs)
    results = {
        "machine": machine,
        "rounds": args.rounds,
        "coverage": [one._asdict() for one in found],
        "mean": mean_coverage(found),
    }
    write_report(results, found, args.output)


if __name__ == "__main__":
    main()
