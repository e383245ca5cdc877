"""Detectors on labelled counts, side by side: `python -m benchmarks.bench_detection --help`.

Every rule gives a score a row from past values alone, and opens alerts in the same way: at its
threshold, and not again before twelve hours below it (ours: below half its surprise, as it
ships). Thresholds are chosen by leave-one-series-out: for each series the lowest one from which
up the others have at most so many false alarms a week. NAB's scorer judges the alerts.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.detection_cost import measure_cost
from benchmarks.detection_rules import RULES
from benchmarks.machine import describe_in_words, describe_machine
from benchmarks.reports import table, write_results
from models.detection.count_detector import (
    ALERTS_PER_WEEK,
    CALM_SECONDS,
    AlertGate,
    score_at,
    score_of,
)
from pipelines.backtest.rows import Row, read_rows
from pipelines.backtest.score import WEEK, open_alerts, score_rows
from pipelines.backtest.windows import Window, read_windows

OURS = next(iter(RULES))
RATES = (0.1, 0.15, 0.2, 0.3)  # false alarms a series and week that thresholds are chosen for
SHIPPED_RATE = ALERTS_PER_WEEK["medium"]
MERGED_SECONDS = 6 * 3600  # the scorer counts alarms closer than that as one
THRESHOLDS, FINENESS = 400, 0.98


class Series(NamedTuple):
    """A labelled series; the scorer's probation ends at row `judged_from`."""

    name: str
    rows: list[Row]
    windows: tuple[Window, ...]

    @property
    def judged_from(self) -> int:
        """The first row after the probation: 15 %, at most 750 rows."""
        return min(int(0.15 * len(self.rows)), 750)

    @property
    def weeks(self) -> float:
        """Weeks that are judged."""
        return (self.rows[-1].time - self.rows[self.judged_from].time) / WEEK


def read_series(folder: Path) -> list[Series]:
    """Every series that `windows.json` names."""
    labels = folder / "windows.json"
    names = sorted(json.loads(labels.read_text()))
    return [
        Series(name, list(read_rows(folder / name)), read_windows(labels, name)) for name in names
    ]


def open_at(rule: str, series: Series, scores: Sequence[float], threshold: float) -> list[int]:
    """The rows at which alerts open."""
    opened, hot, gate = [], -CALM_SECONDS - 1, AlertGate()
    bar = score_of(threshold)
    # What lies below half the threshold neither opens nor holds an alert.
    for number in [n for n, score in enumerate(scores) if score >= threshold / 2]:
        at, score = series.rows[number].time, scores[number]
        if rule == OURS:
            if gate.update(at, score_of(score), bar):
                opened.append(number)
        elif score >= threshold:
            if at - hot > CALM_SECONDS:
                opened.append(number)
            hot = at
    return opened


def false_alarms(series: Series, opened: Sequence[int]) -> int:
    """Alerts outside the labelled windows, after the probation."""
    found, last = 0, -MERGED_SECONDS - 1
    for number in opened:
        if number < series.judged_from:
            continue
        at = series.rows[number].time
        if at - last > MERGED_SECONDS:
            found += not any(window.holds(at) for window in series.windows)
        last = at
    return found


class Sweep(NamedTuple):
    """A rule over all series: thresholds from low to high, and its alerts at each."""

    thresholds: list[float]
    opened: list[dict[str, list[int]]]
    micros: float

    def choose(self, series: Sequence[Series], rate: float) -> int:
        """The lowest threshold from which up these series keep to the rate."""
        allowed = rate * sum(one.weeks for one in series)
        chosen = len(self.thresholds) - 1
        for number in reversed(range(len(self.thresholds))):
            alerts = self.opened[number]
            if sum(false_alarms(one, alerts[one.name]) for one in series) > allowed:
                break
            chosen = number
        return chosen


def sweep(rule: str, every: Sequence[Series]) -> Sweep:
    """Scores once, alerts at each of many thresholds: steps of equal numbers of rows."""
    started, scores = time.process_time(), {}
    for one in every:
        watcher = RULES[rule]()
        scores[one.name] = [watcher.step(row.time, row.counted) for row in one.rows]
    micros = (time.process_time() - started) / sum(len(one.rows) for one in every) * 1e6
    highest = sorted((s for one in scores.values() for s in one), reverse=True)
    # From one row in twenty to one in all, in geometric steps.
    ranks = {int(0.05 * len(highest) * FINENESS**step) for step in range(THRESHOLDS)}
    thresholds = sorted({highest[rank] for rank in ranks if highest[rank] > 0})
    opened = [
        {one.name: open_at(rule, one, scores[one.name], bar) for one in every} for bar in thresholds
    ]
    return Sweep(thresholds, opened, micros)


def judge(
    scorer: Path, data: Path, every: Sequence[Series], opened: dict[str, list[int]]
) -> dict[str, Any]:
    """What NAB's scorer says of these alerts."""
    with tempfile.TemporaryDirectory() as folder:
        for one in every:
            with (Path(folder) / one.name).open("w", newline="") as stream:
                lines = csv.writer(stream)
                lines.writerow(("timestamp", "value", "anomaly_score", "alert"))
                alerts = set(opened[one.name])
                for number, row in enumerate(one.rows):
                    flag = int(number in alerts)
                    lines.writerow((row.timestamp, row.value, flag, flag))
        where = ["--series", str(data), "--scores", folder, "--alerts"]
        command = [sys.executable, str(scorer), *where]
        shown = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(shown.stdout))


def leave_one_out(found: Sweep, every: Sequence[Series], rate: float) -> dict[str, list[int]]:
    """The alerts of each series at the threshold that the others chose."""
    opened = {}
    for one in every:
        others = [other for other in every if other.name != one.name]
        opened[one.name] = found.opened[found.choose(others, rate)][one.name]
    return opened


def compare(scorer: Path, data: Path, every: Sequence[Series]) -> dict[str, Any]:
    """Each rule at each rate, left out; and ours as it ships."""
    results = {}
    for rule in RULES:
        found = sweep(rule, every)
        judged = {
            str(rate): judge(scorer, data, every, leave_one_out(found, every, rate))
            for rate in RATES
        }
        results[rule] = {"left_out": judged, "micros_per_row": round(found.micros, 1)}
        print(f"{rule:<28} {judged[str(SHIPPED_RATE)]}", flush=True)
    return results


def judge_shipped(scorer: Path, data: Path, every: Sequence[Series]) -> dict[str, Any]:
    """Ours at the threshold that the settings ship."""
    opened = {}
    for one in every:
        scored, bar = score_rows(one.rows), score_at(SHIPPED_RATE)
        alerts = enumerate(opens for _, opens in open_alerts(scored, bar))
        opened[one.name] = [number for number, opens in alerts if opens]
    return judge(scorer, data, every, opened)


def write_report(results: dict[str, Any], folder: Path) -> None:
    """The figures as JSON and Markdown."""
    parts = [
        "# Detection: alerts on labelled counts",
        describe_in_words(results["machine"]),
        "NAB's low-false-positive score of the alerts · false alarms a series and week · recall. "
        "Left out: the threshold of each series is the lowest from which up the others keep to "
        "the rate at the head of the column. Micros: processor time a row.",
        table(["", *map(str, RATES), "µs"], _rows(results["rules"])),
        f"Ours as it ships ({SHIPPED_RATE:g} a week): {_judged(results['shipped'])}",
        "## Cost of a key",
        table(
            ["keys", "MB", "bytes a key", "bytes of state", "µs a row"],
            [[f"{value:,}" for value in row.values()] for row in results["cost"]],
        ),
    ]
    write_results(results, "\n\n".join(parts) + "\n", folder, "detection")


def _rows(rules: dict[str, Any]) -> list[list[str]]:
    return [
        [
            rule,
            *(_judged(found["left_out"][str(rate)]) for rate in RATES),
            f"{found['micros_per_row']:.0f}",
        ]
        for rule, found in rules.items()
    ]


def _judged(judged: dict[str, Any]) -> str:
    false = judged["false_per_series_week"]
    return f"{judged['low_fp']:.1f} · {false:.2f} · {judged['recall']:.2f}"


def main() -> None:
    """Compare, measure the cost, write the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of series with their windows.json"
    )
    parser.add_argument("--scorer", type=Path, required=True, help="nab_score.py")
    parser.add_argument("--keys", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    args = parser.parse_args()
    every = read_series(args.data)
    results = {
        "machine": describe_machine(),
        "rules": compare(args.scorer, args.data, every),
        "shipped": judge_shipped(args.scorer, args.data, every),
        "cost": measure_cost(tuple(args.keys)),
    }
    write_report(results, args.output)


if __name__ == "__main__":
    main()
