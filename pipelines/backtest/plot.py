"""A series in pictures: strips of inline SVG with the band of what is usual, alerts and labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from typing import NamedTuple

from pipelines.backtest.windows import Window

WIDTH, HEIGHT, TOP, LEFT, BOTTOM = 1160, 150, 16, 46, 18
POINTS = 700  # a strip holds no more buckets than that
DAY = 24 * 3600


class Point(NamedTuple):
    """A bucket of rows: its middle, the mean count, what was usual, whether it was judged."""

    time: int
    counted: float
    expected: float
    high: float
    warm: bool


class Mark(NamedTuple):
    """Where an alert opened, and what to say of it."""

    time: int
    says: str


class Frame:
    """Where a time and a count lie on a strip; counts by log(1 + count), so that nights show."""

    def __init__(self, start: int, end: int, highest: float) -> None:
        self.start, self.end = start, end
        self.top = math.log1p(max(highest, 1.0))

    def x(self, time: float) -> float:
        """Pixels from the left."""
        return round(LEFT + (WIDTH - LEFT) * (time - self.start) / (self.end - self.start), 1)

    def y(self, count: float) -> float:
        """Pixels from above."""
        return round(TOP + (HEIGHT - TOP) * (1 - math.log1p(max(0.0, count)) / self.top), 1)


def draw_strip(
    points: Sequence[Point], marks: Sequence[Mark], windows: Sequence[Window], frame: Frame
) -> str:
    """One strip of the series as SVG."""
    parts = [_window(window, frame) for window in windows if _overlaps(window, frame)]
    parts += [*_grid(frame), _cold(points, frame), _band(points, frame)]
    parts.append(f'<polyline class="usual" points="{_line(points, frame, "expected")}"/>')
    parts.append(f'<polyline class="count" points="{_line(points, frame, "counted")}"/>')
    parts += [_mark(mark, frame) for mark in marks if frame.start <= mark.time < frame.end]
    size = f'viewBox="0 0 {WIDTH} {HEIGHT + BOTTOM}"'
    return f'<svg {size} role="img" aria-label="counts over time">{"".join(parts)}</svg>'


def _overlaps(window: Window, frame: Frame) -> bool:
    return window.start < frame.end and window.end >= frame.start


def _window(window: Window, frame: Frame) -> str:
    left = frame.x(max(window.start, frame.start))
    width = round(frame.x(min(window.end, frame.end)) - left, 1)
    place = f'x="{left}" y="{TOP}" width="{width}" height="{HEIGHT - TOP}"'
    return f'<rect class="window" {place}><title>labelled window</title></rect>'


def _grid(frame: Frame) -> list[str]:
    """Days below, powers of ten at the left."""
    days = range(frame.start - frame.start % DAY, frame.end, DAY)
    step = max(1, len(days) // 14)
    shown = [day for day in days[::step] if day >= frame.start]
    lines = [_day(day, frame) for day in shown]
    tops = [10**power for power in range(16) if math.log1p(10**power) <= frame.top]
    return lines + [_level(top, frame) for top in tops]


def _day(day: int, frame: Frame) -> str:
    x, text = frame.x(day), datetime.fromtimestamp(day, UTC).strftime("%a %d %b")
    rule = f'<line class="grid" x1="{x}" x2="{x}" y1="{TOP}" y2="{HEIGHT}"/>'
    return f'{rule}<text x="{x + 3}" y="{HEIGHT + 13}">{text}</text>'


def _level(count: int, frame: Frame) -> str:
    y = frame.y(count)
    rule = f'<line class="grid" x1="{LEFT}" x2="{WIDTH}" y1="{y}" y2="{y}"/>'
    return f'{rule}<text class="level" x="{LEFT - 4}" y="{y + 4}">{count:,}</text>'


def _cold(points: Sequence[Point], frame: Frame) -> str:
    cold = [point.time for point in points if not point.warm]
    if not cold:
        return ""
    width = round(frame.x(max(cold)) - frame.x(min(cold)), 1)
    place = f'x="{frame.x(min(cold))}" y="{TOP}" width="{width}" height="{HEIGHT - TOP}"'
    return f'<rect class="cold" {place}><title>warming up: nothing is judged</title></rect>'


def _band(points: Sequence[Point], frame: Frame) -> str:
    """From as far below what is usual to where 19 of 20 hours stay below."""
    above = [f"{frame.x(p.time)},{frame.y(p.high)}" for p in points]
    below = [f"{frame.x(p.time)},{frame.y(p.expected**2 / p.high)}" for p in points if p.high]
    return f'<polygon class="band" points="{" ".join([*above, *reversed(below)])}"/>'


def _line(points: Sequence[Point], frame: Frame, field: str) -> str:
    return " ".join(f"{frame.x(p.time)},{frame.y(getattr(p, field))}" for p in points)


def _mark(mark: Mark, frame: Frame) -> str:
    x, says = frame.x(mark.time), escape(mark.says)
    rule = f'<line class="alert" x1="{x}" x2="{x}" y1="{TOP}" y2="{HEIGHT}"/>'
    head = f'<path class="alert" d="M{x - 5},{TOP - 12} h10 l-5,11 z"/>'
    return f"<g><title>{says}</title>{rule}{head}</g>"
