"""Alerts against what was planted: found or not, rightly named or not, how late; and false ones."""

from __future__ import annotations

import statistics
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from benchmarks.incident_kinds import HOUR, MINUTE, ONLY_BY_NAME, Incident, names_rightly
from benchmarks.incident_play import Told
from benchmarks.incident_rules import merged

AFTERMATH = 3 * HOUR  # after an incident, in which alerts are neither hits nor false
WEEK = 7 * 24 * HOUR
NAMELESS = "alert"  # of rules that only say that something is up


class Verdict(NamedTuple):
    """What became of one planted incident; delays run to the first alert that counts."""

    kind: str
    baseline: str
    found: bool
    named: bool
    minutes: float | None = None
    posts: int | None = None


class Span(NamedTuple):
    """A stretch of a timeline that is judged, with what was planted in it."""

    since: float
    until: float
    incidents: tuple[Incident, ...] = ()

    def is_quiet(self, moment: float) -> bool:
        """Whether an alert then is a false one."""
        inside = self.since <= moment < self.until
        return inside and not any(
            one.start <= moment <= one.judged_until + AFTERMATH for one in self.incidents
        )

    @property
    def quiet_weeks(self) -> float:
        """Weeks in which every alert is false."""
        taken = sum(one.judged_until + AFTERMATH - one.start for one in self.incidents)
        return (self.until - self.since - taken) / WEEK


def judge(
    baseline: str, incidents: Iterable[Incident], told: Sequence[Told], posted: Sequence[float]
) -> list[Verdict]:
    """One verdict an incident; `posted` are the times of all posts, in order."""
    return [_verdict(baseline, one, told, posted) for one in incidents]


def _verdict(
    baseline: str, incident: Incident, told: Sequence[Told], posted: Sequence[float]
) -> Verdict:
    inside = [t for t in told if incident.judged_from < t.at <= incident.judged_until]
    right = [t for t in inside if names_rightly(t.kind, incident.kind)]
    counting = right if incident.kind in ONLY_BY_NAME else inside
    if not counting:
        return Verdict(incident.kind, baseline, found=False, named=False)
    first = min(t.at for t in counting)
    posts = bisect_right(posted, first) - bisect_right(posted, incident.judged_from)
    minutes = (first - incident.judged_from) / MINUTE
    return Verdict(incident.kind, baseline, True, bool(right), minutes, posts)


def false_alarms(span: Span, told: Iterable[Told]) -> list[float]:
    """When alerts were told without a reason, those within an hour counted once."""
    return merged(t.at for t in told if span.is_quiet(t.at))


def false_kinds(span: Span, told: Iterable[Told]) -> Counter[str]:
    """How often each kind was told without a reason."""
    return Counter(t.kind for t in told if span.is_quiet(t.at))


class Recall(NamedTuple):
    """Verdicts summed up: how many incidents, found, named rightly, and the median delays."""

    incidents: int
    found: int
    named: int
    minutes: float | None
    posts: float | None

    @property
    def share(self) -> float:
        """Share of incidents that were found."""
        return self.found / self.incidents if self.incidents else 0.0


def sum_up(verdicts: Iterable[Verdict]) -> Recall:
    """Recall over some verdicts."""
    every = list(verdicts)
    minutes = [v.minutes for v in every if v.minutes is not None]
    posts = [v.posts for v in every if v.posts is not None]
    return Recall(
        len(every),
        sum(v.found for v in every),
        sum(v.named for v in every),
        round(statistics.median(minutes), 1) if minutes else None,
        float(statistics.median(posts)) if posts else None,
    )
