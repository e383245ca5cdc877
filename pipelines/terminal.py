"""What a person at the terminal sees: progress while a run goes on, a summary when it is over."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from schemas import metrics

if TYPE_CHECKING:
    from pipelines.run import Finished

PLAIN_LINE_SECONDS = 5.0
RATE_SECONDS = 10.0
SEVERE = 7
VERDICTS = {True: "yes", False: "NO", None: "not known, the folder holds earlier runs too"}


class Rate:
    """Posts a second over the last ten seconds."""

    def __init__(self) -> None:
        self.samples: list[tuple[float, int]] = []

    def update(self, clock: float, count: int) -> float:
        """The rate after `count` posts at `clock` seconds."""
        self.samples = [s for s in self.samples if clock - s[0] <= RATE_SECONDS]
        self.samples.append((clock, count))
        (first, before), (last, now) = self.samples[0], self.samples[-1]
        return (now - before) / (last - first) if last > first else 0.0


def describe(counters: dict[str, int], rate: float | None) -> Text:
    """One line: posts, rate where one is known, watermark, readings, dead letters, alerts."""
    totals = totals_by_metric(counters)
    watermark = counters.get(metrics.WATERMARK.name)
    parts = (
        ("posts", f"{totals.get(metrics.POSTS_READ.name, 0):,}"),
        ("rate", "–" if rate is None else f"{rate:,.0f}/s"),
        ("watermark", event_time(watermark) if watermark else "–"),
        ("readings", f"{totals.get(metrics.READINGS.name, 0):,}"),
        ("dead letters", f"{totals.get(metrics.DEAD_LETTERS.name, 0):,}"),
        ("alert states", f"{totals.get(metrics.ALERTS.name, 0):,}"),
    )
    line = Text()
    for name, value in parts:
        line.append(f"{name} ", style="dim").append(f"{value}   ", style="bold")
    return line


def totals_by_metric(counters: dict[str, int]) -> dict[str, int]:
    """The sum of every metric over its labels."""
    totals: dict[str, int] = {}
    for sample, value in counters.items():
        totals[metrics.metric_of(sample)] = totals.get(metrics.metric_of(sample), 0) + value
    return totals


def event_time(seconds: float) -> str:
    """Event time as people read it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


class Progress:
    """Shows a run's counters: a live line on a terminal, elsewhere a plain line now and then."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.rate = Rate()
        self.live = Live(console=console, auto_refresh=False, transient=True)
        self.printed = time.monotonic()

    def __enter__(self) -> Progress:
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.console.is_terminal:
            self.live.stop()

    def update(self, counters: dict[str, int]) -> None:
        """Show the newest counters."""
        clock = time.monotonic()
        read = totals_by_metric(counters).get(metrics.POSTS_READ.name, 0)
        line = describe(counters, self.rate.update(clock, read))
        if self.console.is_terminal:
            self.live.update(line, refresh=True)
        elif clock - self.printed >= PLAIN_LINE_SECONDS:
            self.printed = clock
            self.console.print(line, soft_wrap=True)


def print_summary(finished: Finished, console: Console) -> None:
    """What the run found, and whether its counts add up."""
    console.print(_counts(finished))
    if finished.outcome.rejections:
        console.print(_dead_letters(finished))
    for line in (*_spans(finished), *_alerts(finished)):
        console.print(line, soft_wrap=True, highlight=False)
    if finished.shadow is not None:
        console.print(f"shadow: {finished.shadow.line}", soft_wrap=True, highlight=False)


def _counts(finished: Finished) -> Table:
    table = Table(
        title="Run cut short" if finished.cancelled else "Run complete", show_header=False
    )
    outcome = finished.outcome
    rows = (
        ("posts read", f"{finished.read:,}"),
        ("readings", f"{outcome.readings:,}"),
        ("dead letters", f"{outcome.rejected:,}"),
        ("redeliveries dropped", f"{finished.duplicates:,}"),
        ("adds up", VERDICTS[finished.adds_up]),
        ("final trends", f"{outcome.trends:,}"),
        ("alerts", f"{len(outcome.alerts):,}"),
        ("time", f"{finished.seconds:.1f} s"),
        ("rate", f"{finished.read / finished.seconds:,.0f} posts/s"),
        ("peak memory", f"{finished.peak_megabytes:,.0f} MB"),
    )
    for name, value in rows:
        table.add_row(name, value)
    return table


def _dead_letters(finished: Finished) -> Table:
    table = Table("stage", "cause", "count", title="Dead letters")
    for (stage, cause), count in finished.outcome.rejections.items():
        table.add_row(stage, cause, f"{count:,}")
    return table


def _spans(finished: Finished) -> Iterator[Text]:
    for brand, (first, last) in finished.outcome.brands.items():
        yield Text.assemble(("trend  ", "dim"), f"{brand}: {_minute(first)} to {_minute(last)}")


def _alerts(finished: Finished) -> Iterator[Text]:
    for alert in finished.outcome.alerts:
        style = "bold red" if alert.severity >= SEVERE else "bold yellow"
        what = f"{alert.kind}, severity {alert.severity}, {alert.status}"
        yield Text.assemble(("alert  ", style), f"{_minute(alert.since)}  {what}  {alert.title}")


def _minute(moment: str) -> str:
    """A moment of the wire, to the minute.

    >>> _minute("2026-06-18T14:10:00Z")
    '2026-06-18 14:10'
    """
    return moment[:16].replace("T", " ")


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set, so that a run drains instead of dying."""
    stop = threading.Event()
    before = {s: signal.signal(s, lambda *_: stop.set()) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
