"""Scores of a series as the detector would have given them, row by row, and where alerts open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from models.detection.count_detector import (
    AlertGate,
    CountDetector,
    CountScore,
    score_at,
)
from pipelines.backtest.rows import BacktestError, Row

WEEK = 7 * 24 * 3600
TRIED, FINENESS = 80, 1.15  # thresholds from one incident a week down to one in a thousand years
HEADER = b"timestamp,value,anomaly_score,alert\n"


class Scored(NamedTuple):
    """A row, what the detector said of it, and whether it was past its warm-up."""

    row: Row
    found: CountScore
    warm: bool


class Chosen(NamedTuple):
    """The threshold on `anomaly_score` at which alerts open, and why that one."""

    threshold: float
    reason: str


def score_rows(rows: Iterable[Row]) -> Iterator[Scored]:
    """Each row with its score; a score rests on the rows before it and on nothing later."""
    detector = CountDetector()
    for row in rows:
        found, warm = detector.score_one(row.time, row.counted), detector.is_warm(row.time)
        detector.learn_one(row.time, row.counted)
        yield Scored(row, found, warm)


def open_alerts(scored: Iterable[Scored], threshold: float) -> Iterator[tuple[Scored, bool]]:
    """Each row with whether an alert opens there: once an incident."""
    gate = AlertGate()
    for one in scored:
        yield one, gate.update(one.row.time, one.found.anomaly_score, threshold)


def choose_threshold(scored: Sequence[Scored], alerts_per_week: float) -> Chosen:
    """The lowest threshold from which up this series has at most so many alerts a week.

    Only the weeks past the warm-up count. The alerts of the series are all taken as false: what
    is known to be true in it had better be left out. However quiet the series, the threshold is
    not below what ordinary ones exceed once a week, or as often as asked for.

    Raises:
        BacktestError: less than a week can be judged.
    """
    weeks = judged_weeks(scored)
    if weeks < 1:
        raise BacktestError(f"--tune: {weeks:.1f} weeks past the warm-up; give at least one")
    threshold, alerts = 1.0, 0
    for step in reversed(range(TRIED)):
        tried = score_at(max(1.0, alerts_per_week) / FINENESS**step)
        found = count_alerts(scored, tried)
        if found > alerts_per_week * weeks:
            break
        threshold, alerts = tried, found
    judged = f"{alerts} in the {weeks:.1f} weeks judged"
    return Chosen(threshold, f"chosen for at most {alerts_per_week:g} a week: {judged}")


def count_alerts(scored: Sequence[Scored], threshold: float) -> int:
    """How many alerts open at that threshold."""
    return sum(opens for _, opens in open_alerts(scored, threshold))


def judged_weeks(scored: Sequence[Scored]) -> float:
    """Weeks of event time from the end of the warm-up to the last row."""
    first = next((one.row.time for one in scored if one.warm), None)
    return 0.0 if first is None else (scored[-1].row.time - first) / WEEK


def to_line(one: Scored, opens: bool) -> bytes:
    """The line of the output: both columns as they were written, the score, 0 or 1."""
    row = one.row
    return f"{row.timestamp},{row.value},{one.found.anomaly_score:.6f},{int(opens)}\n".encode()
