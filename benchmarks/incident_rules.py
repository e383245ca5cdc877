"""The alternatives on the same windows: a rule watches the count, and another the negative share.

Each has one threshold a signal, the lowest that keeps quiet weeks of its own to a rate of false
alarms; an alert opens at either, and not again before an hour below both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from benchmarks.detection_rules import RULES
from benchmarks.incident_kinds import HOUR
from benchmarks.incident_play import Row

OURS_ON_COUNTS = next(iter(RULES))
MERGED = HOUR  # alarms closer than that are one, of every rule
STEPS, FINENESS = 80, 0.93


class Scored(NamedTuple):
    """What a rule says of the windows of a timeline: when, and how unusual by each signal."""

    ends: tuple[int, ...]
    counts: tuple[float, ...]
    shares: tuple[float, ...]


class Thresholds(NamedTuple):
    """From which score on each signal opens an alert."""

    volume: float
    share: float


def score(rule: str, rows: Sequence[Row]) -> Scored:
    """Scores of both signals, from past values alone; 0 where a share says nothing."""
    of_counts, of_shares = RULES[rule](), RULES[rule]()
    counts, shares = [], []
    for row in rows:
        counts.append(of_counts.step(row.end, float(row.posts)))
        watches = row.negative is not None and rule != OURS_ON_COUNTS
        shares.append(of_shares.step(row.end, row.negative or 0.0) if watches else 0.0)
    return Scored(tuple(row.end for row in rows), tuple(counts), tuple(shares))


def opened(scored: Scored, bars: Thresholds, since: float, until: float) -> list[int]:
    """When alerts open between two moments."""
    found, hot = [], -MERGED - 1
    for end, count, share in zip(*scored, strict=True):
        if since <= end < until and (count >= bars.volume or share >= bars.share):
            if end - hot > MERGED:
                found.append(end)
            hot = end
    return found


def merged(moments: Iterable[float]) -> list[float]:
    """Alarms, those within an hour of the one before counted once."""
    found: list[float] = []
    last = float("-inf")
    for moment in sorted(moments):
        if moment - last > MERGED:
            found.append(moment)
        last = moment
    return found


class QuietStretch(NamedTuple):
    """A stretch of quiet weeks that thresholds are chosen on."""

    scored: Scored
    since: float
    until: float


def choose(stretches: Sequence[QuietStretch], alarms: float) -> Thresholds:
    """The lowest thresholds that give at most so many alarms by each signal over all stretches."""
    by_count = [s._replace(scored=s.scored._replace(shares=_none(s.scored))) for s in stretches]
    by_share = [s._replace(scored=s.scored._replace(counts=_none(s.scored))) for s in stretches]
    return Thresholds(
        _lowest(by_count, [x for s in stretches for x in s.scored.counts], alarms),
        _lowest(by_share, [x for s in stretches for x in s.scored.shares], alarms),
    )


def _none(scored: Scored) -> tuple[float, ...]:
    return (float("-inf"),) * len(scored.ends)


def _lowest(stretches: Sequence[QuietStretch], scores: Sequence[float], alarms: float) -> float:
    highest = sorted((x for x in scores if x > 0), reverse=True)
    if not highest:
        return float("inf")
    chosen = highest[0] * 1.01 + 1e-9
    # From above: the lowest bar before the first that gives more alarms than allowed.
    ranks = sorted({int(len(highest) * 0.1 * FINENESS**step) for step in range(STEPS)})
    for bar in (highest[rank] for rank in ranks):
        found = (opened(s.scored, Thresholds(bar, bar), s.since, s.until) for s in stretches)
        if sum(len(one) for one in found) > alarms:
            break
        chosen = bar
    return chosen
