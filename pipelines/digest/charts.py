"""The course of a brand as a picture: how many posts, how they felt, what its alerts did."""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

from pipelines.digest.days import DAY
from schemas.records import Alert, Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INCHES, DPI = (8.0, 3.6), 80
POSTS, VALENCE, ALERT = "#4c78a8", "#2f6b4f", "#d1495b"
_ONE_AT_A_TIME = threading.Lock()  # matplotlib is not made for threads
TURNS = (("opened", "^"), ("escalated", "D"), ("ended", "s"))


class Stretch(msgspec.Struct, frozen=True):
    """Some time of a brand: its posts, and how they felt; no estimate where none was decided."""

    start: datetime
    end: datetime
    posts: int
    valence: Estimate | None
    share_negative: Estimate | None


class Mark(msgspec.Struct, frozen=True):
    """When an alert opened, escalated and ended, and how grave it was at its gravest.

    A compacted topic keeps only the newest state of an alert: when it escalated is then not known.
    """

    opened: datetime
    escalated: datetime | None
    ended: datetime | None
    severity: int


def mark_of(states: Sequence[Alert]) -> Mark:
    """The turns of one alert from its states, oldest first."""
    turns = pairwise(states)
    escalated = next((b.updated_at for a, b in turns if b.escalated and not a.escalated), None)
    severity = max(state.severity for state in states)
    return Mark(states[0].since, escalated, states[-1].resolved_at, severity)


def draw_course(
    stretches: Sequence[Stretch],
    marks: Sequence[Mark],
    since: datetime,
    until: datetime,
    zone: tzinfo = UTC,
) -> bytes:
    """A PNG of the time from `since` to `until`: posts above, valence with its interval below.

    Alerts are spans, darker where graver, with a sign at each turn. It holds no words but those of
    the axes, and no date of its making: the same facts give the same bytes.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with _ONE_AT_A_TIME:
        figure = Figure(figsize=INCHES, layout="constrained")
        FigureCanvasAgg(figure)
        volume, mood = figure.subplots(2, sharex=True, height_ratios=(3, 2))
        _draw_posts(volume, stretches)
        _draw_valence(mood, stretches)
        for axes in (volume, mood):
            _draw_spans(axes, marks, until)
            axes.tick_params(labelsize=8)
            axes.spines[["top", "right"]].set_visible(False)
        _draw_turns(volume, marks, since, until)
        _set_dates(mood, since, until, zone)
        image = io.BytesIO()
        figure.savefig(image, format="png", dpi=DPI, metadata={"Software": None})
    return image.getvalue()


def _draw_posts(axes: Axes, stretches: Sequence[Stretch]) -> None:
    widths = [_days(s.end) - _days(s.start) for s in stretches]
    starts = [_days(s.start) for s in stretches]
    axes.bar(starts, [s.posts for s in stretches], width=widths, align="edge", color=POSTS)
    axes.set_ylabel("posts", fontsize=8)
    axes.margins(y=0.2)


def _draw_valence(axes: Axes, stretches: Sequence[Stretch]) -> None:
    """A line with its band, broken where nobody posted."""
    nothing = float("nan")
    rows: list[tuple[float, float, float, float]] = []
    for before, stretch in zip([None, *stretches], stretches, strict=False):
        middle = (_days(stretch.start) + _days(stretch.end)) / 2
        if before is not None and before.end < stretch.start:
            rows.append((middle, nothing, nothing, nothing))
        if (felt := stretch.valence) is not None:
            rows.append((middle, felt.mean, felt.low, felt.high))
    if rows:
        when, mean, low, high = zip(*rows, strict=True)
        axes.fill_between(when, low, high, color=VALENCE, alpha=0.2, linewidth=0)
        axes.plot(when, mean, color=VALENCE, linewidth=1.2, marker=".", markersize=3)
    axes.axhline(0, color="#999999", linewidth=0.6)
    axes.set_ylim(-1.05, 1.05)
    axes.set_ylabel("valence, 95 %", fontsize=8)


def _draw_spans(axes: Axes, marks: Sequence[Mark], until: datetime) -> None:
    for mark in marks:
        span = (_days(mark.opened), _days(mark.ended or until))
        axes.axvspan(*span, color=ALERT, alpha=0.03 * mark.severity, linewidth=0, zorder=0)


def _draw_turns(axes: Axes, marks: Sequence[Mark], since: datetime, until: datetime) -> None:
    for name, sign in TURNS:
        moments = [getattr(mark, name) for mark in marks]
        shown = [_days(m) for m in moments if m is not None and since <= m <= until]
        heights = [0.95] * len(shown)
        where = axes.get_xaxis_transform()
        axes.plot(shown, heights, sign, color=ALERT, markersize=5, transform=where, label=name)
    if marks:
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, fontsize=7, frameon=False)


def _set_dates(axes: Axes, since: datetime, until: datetime, zone: tzinfo) -> None:
    from matplotlib import dates

    untyped: Any = dates
    locator = untyped.AutoDateLocator(tz=zone, minticks=4, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    is_long = until - since > 2 * DAY  # of a day, the year says nothing
    formatter = untyped.ConciseDateFormatter(locator, tz=zone, show_offset=is_long)
    axes.xaxis.set_major_formatter(formatter)
    axes.set_xlim(_days(since), _days(until))


def _days(moment: datetime) -> float:
    """Days since 1970, which matplotlib draws as dates."""
    return moment.timestamp() / 86_400
