"""Days of a time zone, and the windows that fill one without overlapping."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.records import Trend

DAY = timedelta(days=1)


class Day(NamedTuple):
    """A calendar day from midnight to midnight of a time zone; 23 or 25 hours long at times."""

    date: date
    since: datetime
    until: datetime


def day_of(day: date, zone: tzinfo) -> Day:
    """The day of that date.

    >>> berlin = zone_of("Europe/Berlin")
    >>> day = day_of(date(2026, 10, 25), berlin)
    >>> str(day.until - day.since)
    '1 day, 1:00:00'
    """
    since, until = (datetime.combine(d, time(), zone).astimezone(UTC) for d in (day, day + DAY))
    return Day(day, since, until)


def newest_due(now: datetime, at: time, zone: tzinfo) -> date:
    """The newest day whose digest is due: yesterday once it is `at`, the day before until then."""
    today = now.astimezone(zone).date()
    is_due = now >= datetime.combine(today, at, zone)
    return today - (DAY if is_due else 2 * DAY)


def zone_of(name: str) -> tzinfo:
    """The time zone of that IANA name.

    Raises:
        ValueError: this machine knows none of that name.
    """
    if name == "UTC":
        return UTC  # known without any tables
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"{name!r} is no time zone that this machine knows; write e.g. Europe/Berlin or UTC"
        ) from None


def apart(windows: Iterable[Trend], day: Day) -> list[Trend]:
    """The windows that lie in the day side by side from its beginning, so no post counts twice.

    Windows have one width and start on a grid that divides it; one in which nobody posted is not
    there. Where no window starts with the day, the first that starts later does.
    """
    found = sorted(windows, key=lambda trend: trend.window_start)
    if not found:
        return []
    width = round(_width(found[-1]))
    same = [trend for trend in found if round(_width(trend)) == width]
    grid = math.gcd(width, *(_seconds(trend.window_start) for trend in same))
    first = -(-_seconds(day.since) // grid) * grid
    return [
        trend
        for trend in same
        if _seconds(trend.window_start) >= first
        and (_seconds(trend.window_start) - first) % width == 0
        and trend.window_end <= day.until
    ]


def weeks_days(day: Day, zone: tzinfo) -> Iterator[Day]:
    """The seven days before, the oldest first."""
    for back in range(7, 0, -1):
        yield day_of(day.date - back * DAY, zone)


def _width(trend: Trend) -> float:
    return (trend.window_end - trend.window_start).total_seconds()


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
