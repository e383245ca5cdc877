"""What hours and days cost beside the windows: `python -m benchmarks.bench_rollups --help`.

The stage of trends runs on FnApiRunner over the readings of a brand's day, with and without
roll-ups, in turns: processor time and posts a second, without model, source and sinks. Then the
bytes that an hour and a day hold in state, for all posts and for a slice.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms.window import TimestampedValue

from benchmarks.incident_play import PERIOD, SIZE
from benchmarks.incident_story import Timeline, tell
from benchmarks.machine import describe_in_words, describe_machine
from benchmarks.reports import table, write_results
from schemas.records import Reading
from transforms.rollup import RollUp
from transforms.samples import samples_by_key
from transforms.tally import Tally, encode_tally
from transforms.trend import AggregateTrends

LENGTHS = (3600, 86_400)
LATENESS = 3600


def run_stage(readings: Sequence[Reading], lengths: tuple[int, ...] | None) -> dict[str, float]:
    """Seconds that the stage takes for the readings; None for no step of roll-ups at all."""
    timed = [TimestampedValue(one, one.created_at.timestamp()) for one in readings]
    started, busy = time.perf_counter(), time.process_time()
    with beam.Pipeline(runner="FnApiRunner", options=PipelineOptions([])) as pipeline:
        source = pipeline | beam.Create(timed, reshuffle=False)
        typed = source | "Typed" >> beam.Map(_same).with_output_types(Reading)
        trends, tallies = typed | AggregateTrends(SIZE, PERIOD, LATENESS)
        if lengths is not None:
            _ = (tallies, trends) | RollUp(lengths, SIZE, LATENESS)
    return {"wall": time.perf_counter() - started, "cpu": time.process_time() - busy}


def _same(reading: Reading) -> Reading:
    return reading


def compare(readings: Sequence[Reading], rounds: int) -> dict[str, Any]:
    """Both, in turns: the medians of their rates, and of the ratio of processor time."""
    run_stage(readings[:100], LENGTHS)  # whatever is loaded once
    without, with_rollups = [], []
    for _ in range(rounds):
        without.append(run_stage(readings, None))
        with_rollups.append(run_stage(readings, LENGTHS))
    pairs = zip(with_rollups, without, strict=True)
    ratios = [more["cpu"] / less["cpu"] for more, less in pairs]
    return {
        "posts": len(readings),
        "rounds": rounds,
        "posts_a_second": {
            name: len(readings) / statistics.median(one["wall"] for one in found)
            for name, found in (("without", without), ("with", with_rollups))
        },
        "cpu_ratio": {
            "median": statistics.median(ratios),
            "lowest": min(ratios),
            "highest": max(ratios),
        },
    }


def bytes_of_state(readings: Sequence[Reading]) -> list[dict[str, Any]]:
    """What the busiest long window of all posts, and of one slice, holds; and a record of it."""
    tallies: dict[Any, Tally] = {}
    for reading in readings:
        moment = int(reading.created_at.timestamp())
        for key, sample in samples_by_key(reading, ("channel",)):
            for seconds in LENGTHS:
                whole = (key, moment - moment % seconds, seconds)
                tallies.setdefault(whole, Tally()).learn_one(sample)
    rows = []
    for seconds in LENGTHS:
        for is_slice in (False, True):
            found = [t for t in tallies.items() if _is(t[0], seconds, is_slice)]
            (key, start, _), tally = max(found, key=lambda one: one[1].posts)
            record = tally.rollup(key, start, start + seconds, "final")
            rows.append(
                {
                    "seconds": seconds,
                    "slice": str(record.slice),
                    "posts": tally.posts,
                    "authors": record.authors,
                    "bytes": len(encode_tally(tally)),
                }
            )
    return rows


def _is(key: Any, seconds: int, is_slice: bool) -> bool:
    whose, _, length = key
    return bool(length == seconds and (whose[1] != "*") == is_slice)


def write_report(results: dict[str, Any], folder: Path) -> None:
    """Figures as JSON and as a table."""
    runs = results["runs"]
    rates, ratio = runs["posts_a_second"], runs["cpu_ratio"]
    state = table(
        ["window", "slice", "posts", "people", "bytes of state"],
        [
            [f"{row['seconds'] // 3600} h", f"`{row['slice']}`"]
            + [f"{row[name]:,}" for name in ("posts", "authors", "bytes")]
            for row in results["state"]
        ],
    )
    parts = [
        "# Hours and days beside the windows",
        describe_in_words(results["machine"]),
        f"The stage of trends alone on FnApiRunner, {runs['posts']:,} readings of a brand's day in "
        f"four slices, {runs['rounds']} rounds in turns: {rates['without']:,.0f} posts a second "
        f"without roll-ups, {rates['with']:,.0f} with them; processor time {ratio['median']:.2f} "
        f"times as much ({ratio['lowest']:.2f} to {ratio['highest']:.2f}).",
        state,
    ]
    write_results(results, "\n\n".join(parts) + "\n", folder, "rollups")


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--posts", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    options = parser.parse_args()
    readings = list(tell(Timeline("noisy", 1, 2 * 86_400)))
    day = [one for one in readings if one.created_at.date() == readings[-1].created_at.date()]
    results = {
        "machine": describe_machine(),
        "runs": compare(day[: options.posts], options.rounds),
        "state": bytes_of_state(day),
    }
    write_report(results, options.output)


if __name__ == "__main__":
    main()
