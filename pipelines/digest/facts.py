"""What a digest says: facts of one day of each brand, from its trends and alerts alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from itertools import dropwhile

import msgspec

from pipelines.digest.charts import Mark, Stretch, mark_of
from pipelines.digest.days import Day, apart, day_of, weeks_days, zone_of
from pipelines.digest.pooling import change, pool
from schemas.emotions import GROUPS
from schemas.records import (
    Alert,
    AlertFeedback,
    AlertKind,
    AlertStatus,
    Estimate,
    Rollup,
    Trend,
)

HOUR = timedelta(hours=1)
LEAST_POSTS = 10  # of an hour that may be called the best or the worst
TOP_EMOTIONS = 3


class Compared(msgspec.Struct, frozen=True):
    """A mean of the day against that of the week before.

    `lowest` and `highest` are of the week's days: within them, a change is as large as days differ.
    """

    day: Estimate
    before: Estimate | None = None
    change: Estimate | None = None
    lowest: float | None = None
    highest: float | None = None


class AlertFact(msgspec.Struct, frozen=True):
    """An alert that fired on the day, as it stood when the digest was made."""

    alert_id: str
    kind: AlertKind
    status: AlertStatus
    severity: int
    title: str
    muted: bool
    mark: Mark
    cause_terms: tuple[str, ...]
    recommendation: str
    feedback: tuple[AlertFeedback, ...] = ()


class BrandDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day of a brand.

    Posts are counted over windows that do not overlap. `most_people` spoke in the window from
    `most_people_at`, of all of them. `people` spoke on the day: known where there is a roll-up of
    just that day, since one may speak in many windows; figures of the day are then its own.
    `posts_before` is the mean of the days of the week before, from the first that has a window on.
    """

    brand: str
    posts: int
    posts_before: float | None
    most_people: int
    most_people_at: datetime | None
    valence: Compared | None
    share_negative: Compared | None
    emotions: dict[str, Compared]
    best: Stretch | None
    worst: Stretch | None
    alerts: tuple[AlertFact, ...]
    stretches: tuple[Stretch, ...]
    windows: int
    final: int
    abstained: int
    people: int | None = None


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same in every digest: its title, whose clock, where the live page is."""

    title: str
    timezone: str
    page_url: str | None = None


class Digest(Frame, frozen=True, kw_only=True):
    """A day of several brands. `dead_letters` are those of the whole run, by stage and cause."""

    day: date
    since: datetime
    until: datetime
    brands: tuple[BrandDay, ...]
    dead_letters: dict[str, int] | None = None


Span = tuple[datetime, datetime]


class Gathered:
    """The newest state of each window, every state of each alert, and what people did."""

    def __init__(self) -> None:
        self.windows: dict[str, dict[datetime, Trend]] = defaultdict(dict)
        self.rollups: dict[str, dict[Span, Rollup]] = defaultdict(dict)
        self.alerts: dict[str, dict[int, Alert]] = defaultdict(dict)
        self.feedback: dict[str, AlertFeedback] = {}

    def add(self, record: Trend | Alert | AlertFeedback) -> None:
        """Take in a record, in any order and any number of times."""
        if isinstance(record, Rollup):
            span = record.window_start, record.window_end
            kept = self.rollups[record.brand].get(span)
            if kept is None or _rank(record) >= _rank(kept):
                self.rollups[record.brand][span] = record
        elif isinstance(record, Trend):
            known = self.windows[record.brand].get(record.window_start)
            if known is None or _rank(record) >= _rank(known):
                self.windows[record.brand][record.window_start] = record
        elif isinstance(record, Alert):
            self.alerts[record.alert_id][record.revision] = record
        else:
            said = self.feedback.get(record.key)
            if said is None or record.at >= said.at:
                self.feedback[record.key] = record

    def told(self, brand: str) -> list[list[Alert]]:
        """The states of each alert of a brand, oldest first."""
        every = ([states[n] for n in sorted(states)] for states in self.alerts.values())
        return [states for states in every if states[0].brand == brand]


def compose(
    gathered: Gathered,
    brands: Sequence[str],
    day: date,
    frame: Frame,
    dead_letters: dict[str, int] | None = None,
) -> Digest:
    """The digest of what is known of each brand on that day."""
    zone = zone_of(frame.timezone)
    whole = day_of(day, zone)
    return Digest(
        **msgspec.structs.asdict(frame),
        day=day,
        since=whole.since,
        until=whole.until,
        brands=tuple(day_of_brand(gathered, brand, whole, zone) for brand in brands),
        dead_letters=dead_letters,
    )


def day_of_brand(gathered: Gathered, brand: str, day: Day, zone: tzinfo) -> BrandDay:
    """The facts of one brand."""
    known, rollups = gathered.windows.get(brand, {}), gathered.rollups.get(brand, {})
    windows = apart(_within(known, day), day)
    whole = _whole(windows, rollups, (day.since, day.until))
    days = [
        _whole(apart(_within(known, one), one), rollups, (one.since, one.until))
        for one in weeks_days(day, zone)
    ]
    week = list(dropwhile(lambda found: not found, days))  # before that nobody watched
    busiest = max(_within(known, day), key=lambda trend: trend.authors, default=None)
    emotions = {group: _compare(whole, week, group) for group in GROUPS if group != "neutral"}
    hours = _stretches(windows, rollups, day)
    judged = [h for h in hours if h.posts >= LEAST_POSTS and h.valence is not None]
    return BrandDay(
        brand=brand,
        posts=sum(trend.posts for trend in whole),
        posts_before=_mean([sum(t.posts for t in one) for one in week]),
        most_people=busiest.authors if busiest else 0,
        most_people_at=busiest.window_start if busiest else None,
        valence=_compare(whole, week, "valence"),
        share_negative=_compare(whole, week, "share_negative"),
        emotions=_leading(emotions),
        best=max(judged, key=_valence_of) if len(judged) > 1 else None,
        worst=min(judged, key=_valence_of) if len(judged) > 1 else None,
        alerts=tuple(_alerts(gathered, brand, day)),
        stretches=tuple(hours),
        windows=len(windows),
        final=sum(trend.final for trend in windows),
        abstained=sum(trend.abstained for trend in whole),
        people=None if whole is windows else whole[0].authors,
    )


def _whole(windows: list[Trend], rollups: Mapping[Span, Rollup], span: Span) -> list[Trend]:
    """The roll-up of a span for its windows, if it counts no fewer posts than they do.

    After a start without state it may count fewer: it knows what came since.
    """
    found = rollups.get(span)
    complete = found and windows and found.posts >= sum(trend.posts for trend in windows)
    return [found] if found and complete else windows


def _within(known: Mapping[datetime, Trend], day: Day) -> list[Trend]:
    """The windows of a day in the order of time, those that overlap too."""
    found = (t for t in known.values() if day.since <= t.window_start and t.window_end <= day.until)
    return sorted(found, key=lambda trend: trend.window_start)


def _stretches(windows: Iterable[Trend], rollups: Mapping[Span, Rollup], day: Day) -> list[Stretch]:
    """Hours of the day that hold windows, or the windows themselves where they are longer."""
    parts: dict[datetime, list[Trend]] = defaultdict(list)
    for trend in windows:
        width = max(HOUR, trend.window_end - trend.window_start)
        parts[day.since + (trend.window_start - day.since) // width * width].append(trend)
    return [
        _stretch((start, max(start + HOUR, found[-1].window_end)), found, rollups)
        for start, found in parts.items()
    ]


def _stretch(span: Span, windows: list[Trend], rollups: Mapping[Span, Rollup]) -> Stretch:
    found = _whole(windows, rollups, span)
    posts = sum(trend.posts for trend in found)
    return Stretch(*span, posts, _pooled(found, "valence"), _pooled(found, "share_negative"))


def _compare(windows: list[Trend], week: list[list[Trend]], what: str) -> Compared | None:
    now = _pooled(windows, what)
    if now is None:
        return None
    days = [mean for one in week if (mean := _pooled(one, what)) is not None]
    before = _pooled([trend for one in week for trend in one], what)
    if before is None:
        return Compared(now)
    means = [mean.mean for mean in days]
    return Compared(now, before, change(now, before), min(means), max(means))


def _pooled(windows: Iterable[Trend], what: str) -> Estimate | None:
    """Of the posts that the model did decide on."""
    return pool((trend.posts - trend.abstained, _estimate(trend, what)) for trend in windows)


def _estimate(trend: Trend, what: str) -> Estimate:
    found: Estimate = trend.mood[what] if what in trend.mood else getattr(trend, what)
    return found


def _leading(emotions: Mapping[str, Compared | None]) -> dict[str, Compared]:
    known = {group: found for group, found in emotions.items() if found is not None}
    ranked = sorted(known, key=lambda group: (-known[group].day.mean, group))
    return {group: known[group] for group in ranked[:TOP_EMOTIONS]}


def _alerts(gathered: Gathered, brand: str, day: Day) -> list[AlertFact]:
    """Those that fired on the day, the gravest first."""
    found = [
        _fact(states, gathered.feedback)
        for states in gathered.told(brand)
        if states[-1].since < day.until
        and (states[-1].resolved_at is None or states[-1].resolved_at > day.since)
    ]
    return sorted(found, key=lambda fact: (-fact.severity, fact.mark.opened, fact.alert_id))


def _fact(states: Sequence[Alert], feedback: Mapping[str, AlertFeedback]) -> AlertFact:
    newest = max(states, key=lambda alert: alert.rank)
    said = [one for one in feedback.values() if one.alert_id == newest.alert_id]
    return AlertFact(
        alert_id=newest.alert_id,
        kind=newest.kind,
        status=newest.status,
        severity=newest.severity,
        title=newest.title,
        muted=newest.muted,
        mark=mark_of(states),
        cause_terms=newest.cause_terms,
        recommendation=newest.recommendation,
        feedback=tuple(sorted(said, key=lambda one: (one.at, one.action))),
    )


def _rank(trend: Trend) -> tuple[bool, int]:
    return trend.final, trend.pane_index


def _valence_of(stretch: Stretch) -> float:
    return stretch.valence.mean if stretch.valence else 0.0


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
