"""One self-contained HTML page of a backtest: facts, pictures of the series, its alerts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import NamedTuple

from pipelines.backtest.plot import DAY, POINTS, Frame, Mark, Point, draw_strip
from pipelines.backtest.score import Chosen, Scored, judged_weeks
from pipelines.backtest.windows import Window

STRIPS = 26  # at most; a long series gets longer strips
LEAST_STRIP_SECONDS = 14 * DAY
LISTED = 500
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1200px; margin: 2rem auto; padding: 0 1rem;
  color: #1d2430; background: #fff; }
svg { width: 100%; height: auto; font-size: 11px; fill: #566; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid #dde; }
.window { fill: #f6c344; opacity: .35; } .cold { fill: #99a; opacity: .18; }
.band { fill: #7aa6d8; opacity: .30; } .grid { stroke: #e3e6ee; } .level { text-anchor: end; }
.usual { fill: none; stroke: #4a78b0; stroke-dasharray: 4 3; }
.count { fill: none; stroke: #1d2430; stroke-width: 1.1; }
line.alert { stroke: #c62828; stroke-width: 1.5; } path.alert { fill: #c62828; }
.key span { display: inline-block; width: 1.1em; height: .8em; margin: 0 .3em 0 1em; }
"""
KEY = """<p class="key"><span style="background:#1d2430"></span>counts, hour by hour
<span style="background:#b9cfea"></span>usual: 19 of 20 hours stay below its upper edge
<span style="background:#c62828"></span>an alert opens
<span style="background:#fae0a0"></span>labelled window
<span style="background:#dcdce4"></span>warming up, not judged</p>"""


class Outcome(NamedTuple):
    """A backtest to report: name, every row with its alert, threshold, and labels if any."""

    name: str
    scored: Sequence[Scored]
    opened: Sequence[Scored]
    chosen: Chosen
    windows: tuple[Window, ...] | None


def build_report(outcome: Outcome) -> str:
    """The page as HTML; it refers to nothing outside itself."""
    title = f"Backtest of {escape(outcome.name)}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE}</style></head><body><h1>{title}</h1>{_facts(outcome)}{KEY}"
        f"{''.join(_strips(outcome))}{_alerts(outcome)}</body></html>\n"
    )


def _facts(outcome: Outcome) -> str:
    scored = outcome.scored
    weeks = judged_weeks(scored)
    opened = len(outcome.opened)
    often = f", {opened / weeks:.2f} a week" if weeks else ""
    facts = [
        ("rows", f"{len(scored):,}, {_time(scored[0].row.time)} to {_time(scored[-1].row.time)}"),
        ("judged", f"{weeks:.1f} weeks past the warm-up"),
        ("alerts", f"{opened}{often}"),
        ("opens at", f"anomaly_score ≥ {outcome.chosen.threshold:g} ({outcome.chosen.reason})"),
    ]
    if outcome.windows is not None:
        times = [one.row.time for one in outcome.opened]
        inside = sum(_is_labelled(time, outcome.windows) for time in times)
        met = sum(any(map(window.holds, times)) for window in outcome.windows)
        facts.append(("labelled windows", f"{met} of {len(outcome.windows)} met"))
        facts.append(("alerts outside of them", f"{opened - inside}"))
    rows = "".join(f"<tr><th>{name}</th><td>{escape(fact)}</td></tr>" for name, fact in facts)
    return f"<table>{rows}</table>"


def _is_labelled(time: int, windows: Sequence[Window]) -> bool:
    return any(window.holds(time) for window in windows)


def _strips(outcome: Outcome) -> list[str]:
    """The series in strips of equal length, two weeks where it is not too long."""
    start, end = outcome.scored[0].row.time, outcome.scored[-1].row.time + 1
    length = max(LEAST_STRIP_SECONDS, -(-(end - start) // STRIPS))
    bucket = max(3600, length // POINTS)
    points = bucketed(outcome.scored, bucket)
    highest = max(max(p.counted, p.high) for p in points)
    marks = [Mark(one.row.time, _says(one)) for one in outcome.opened]
    drawn = []
    for begin in range(start, end, length):
        within = [p for p in points if begin <= p.time < begin + length]
        if within:
            frame = Frame(begin, begin + length, highest)
            drawn.append(draw_strip(within, marks, outcome.windows or (), frame))
    return drawn


def bucketed(scored: Sequence[Scored], seconds: int) -> list[Point]:
    """Means of the rows in each stretch of that many seconds, where there are any."""
    groups: dict[int, list[Scored]] = {}
    for one in scored:
        groups.setdefault(one.row.time // seconds, []).append(one)
    return [_point(number * seconds + seconds // 2, group) for number, group in groups.items()]


def _point(middle: int, group: list[Scored]) -> Point:
    n = len(group)
    return Point(
        time=max(middle, group[0].row.time),
        counted=sum(one.row.counted for one in group) / n,
        expected=sum(one.found.expected for one in group) / n,
        high=sum(one.found.high for one in group) / n,
        warm=group[-1].warm,
    )


def _alerts(outcome: Outcome) -> str:
    if not outcome.opened:
        return "<p>No alert would have opened.</p>"
    rows = "".join(_alert(one, outcome.windows) for one in outcome.opened[:LISTED])
    more = len(outcome.opened) - LISTED
    rest = f"<p>and {more:,} more in the CSV file</p>" if more > 0 else ""
    head = "<tr><th>alert opens</th><th>count</th><th>usual</th><th>score</th><th></th></tr>"
    return f"<h2>Alerts</h2><table>{head}{rows}</table>{rest}"


def _alert(one: Scored, windows: tuple[Window, ...] | None) -> str:
    inside = windows is not None and _is_labelled(one.row.time, windows)
    cells = (
        one.row.timestamp,
        f"{one.row.counted:,g}",
        f"{one.found.expected:,.1f}",
        f"{one.found.anomaly_score:.4f}",
        "in a labelled window" if inside else "",
    )
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def _says(one: Scored) -> str:
    found = one.found
    return (
        f"{one.row.timestamp}: {one.row.counted:g} counted, {found.expected:.1f} usual, "
        f"score {found.anomaly_score:.4f}"
    )


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M")
