"""`moodwire backtest`: from a CSV of counts to scores, alerts and a report."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from models.detection.count_detector import ALERTS_PER_WEEK, score_at
from pipelines.backtest.report import Outcome, build_report
from pipelines.backtest.rows import BacktestError, Row, read_rows
from pipelines.backtest.score import (
    HEADER,
    Chosen,
    Scored,
    choose_threshold,
    open_alerts,
    score_rows,
    to_line,
)
from pipelines.backtest.windows import read_windows
from pipelines.command_line import OK
from pipelines.whole_files import written

ROWS_PER_UPDATE = 5000


def backtest(args: argparse.Namespace, console: Console) -> int:
    """Score the series, write the scores, and the report where one is asked for.

    Raises:
        BacktestError: an option or the input cannot be used; nothing was written then.
    """
    _check(args)
    source = Path(args.input)
    windows = read_windows(Path(args.windows), source.name) if args.windows else None
    with Progress(console=console, transient=True) as progress:
        scored: Iterable[Scored] = score_rows(_counted(read_rows(source), progress))
        if args.tune is not None or args.report:
            scored = list(scored)  # both look at the whole series
        chosen = _choose(args, scored)
        opened, rows = _write(scored, chosen, Path(args.output))
    if args.report and isinstance(scored, list):
        outcome = Outcome(source.name, scored, opened, chosen, windows)
        with written(Path(args.report)) as stream:
            stream.write(build_report(outcome).encode())
    _print(console, rows, opened, chosen, args)
    return OK


def _check(args: argparse.Namespace) -> None:
    """Options that contradict each other or cannot be."""
    if args.tune is not None and not 0 < args.tune <= 100:
        raise BacktestError(f"--tune {args.tune:g}: give alarms a week, above 0, up to 100")
    if args.threshold is not None and not 0 < args.threshold <= 1:
        raise BacktestError(f"--threshold {args.threshold:g}: give a score above 0 and up to 1")
    if args.windows and not args.report:
        raise BacktestError("--windows: shows labels in a report; name one with --report FILE.html")
    files = [args.input, args.output, args.report, args.windows]
    paths = [Path(file).resolve() for file in files if file]
    if len(set(paths)) < len(paths):
        raise BacktestError("--output: names a file that is already in use here; choose another")
    if any(file and Path(file).is_dir() for file in (args.output, args.report)):
        raise BacktestError("--output and --report name files, not folders")


def _choose(args: argparse.Namespace, scored: Iterable[Scored]) -> Chosen:
    if args.tune is not None and isinstance(scored, list):
        return choose_threshold(scored, args.tune)
    if args.threshold is not None:
        return Chosen(args.threshold, "given")
    rate = ALERTS_PER_WEEK[args.sensitivity]
    return Chosen(score_at(rate), f"{args.sensitivity} sensitivity")


def _counted(rows: Iterator[Row], progress: Progress) -> Iterator[Row]:
    """The same rows, shown as they pass."""
    task = progress.add_task("scoring", total=None)
    with closing(rows):  # type: ignore[type-var]  # a generator, which can be closed
        for number, row in enumerate(rows, 1):
            yield row
            if number % ROWS_PER_UPDATE == 0:
                progress.update(task, completed=number, description=f"scoring: {number:,} rows")


def _write(scored: Iterable[Scored], chosen: Chosen, output: Path) -> tuple[list[Scored], int]:
    """Write the scores; returns the rows at which alerts opened, and how many rows there were."""
    opened, rows = [], 0
    with written(output) as stream:
        stream.write(HEADER)
        for one, opens in open_alerts(scored, chosen.threshold):
            stream.write(to_line(one, opens))
            rows += 1
            if opens:
                opened.append(one)
    return opened, rows


def _print(
    console: Console, rows: int, opened: list[Scored], chosen: Chosen, args: argparse.Namespace
) -> None:
    alerts = "1 alert" if len(opened) == 1 else f"{len(opened):,} alerts"
    says = f"{rows:,} rows, {alerts} at anomaly_score ≥ {chosen.threshold:g} ({chosen.reason})"
    console.print(says, markup=False, highlight=False, soft_wrap=True)
    if args.tune is not None:
        console.print(f"keep it with --threshold {chosen.threshold:g}", highlight=False)
    for file in filter(None, (args.output, args.report)):
        console.print(f"written to {file}", markup=False, highlight=False, soft_wrap=True)
