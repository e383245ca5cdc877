"""A week and a day of a brand for tests of digests: windows of five minutes and an incident."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from pipelines.digest.facts import Frame, Gathered
from schemas.records import Alert, AlertFeedback, Rollup, Trend, encode
from tests.dashboards.incidents import an_alert
from tests.trends import a_trend, around

THE_DAY = date(2026, 6, 18)
MIDNIGHT = datetime(2026, 6, 18, tzinfo=UTC)
WIDTH, PERIOD = timedelta(minutes=5), timedelta(minutes=1)
FRAME = Frame(title="Moodwire", timezone="UTC", page_url="https://page.example")


def a_window(start: datetime, brand: str = "Nova", posts: int = 4, **changes: Any) -> Trend:
    """A window of five minutes from `start`."""
    valence = around(changes.pop("mean", 0.2), 0.4, posts)
    place = {"window_start": start, "window_end": start + WIDTH, "brand": brand}
    return a_trend(1, **({"posts": posts, "valence": valence} | place | changes))


def sliding(since: datetime, hours: float, brand: str = "Nova", **changes: Any) -> list[Trend]:
    """Every window that starts in some hours, one a minute: each post is in five of them."""
    first = a_window(since, brand, **changes)
    starts = (since + number * PERIOD for number in range(round(hours * 60)))
    return [
        msgspec.structs.replace(first, window_start=start, window_end=start + WIDTH)
        for start in starts
    ]


def a_rollup(start: datetime, hours: int, posts: int, **changes: Any) -> Rollup:
    """The roll-up of some hours from `start`."""
    found = a_window(start, posts=posts, **changes)
    end = start + timedelta(hours=hours)
    return Rollup(**(msgspec.structs.asdict(found) | {"window_end": end}))


def incident(brand: str = "Nova") -> list[Alert]:
    """The states of a crisis at noon: opens, escalates, ends."""
    noon = MIDNIGHT.replace(hour=12)
    end = MIDNIGHT.replace(hour=14)
    first = msgspec.structs.replace(
        an_alert("a1", brand, severity=6, terms=("kettle", "melts")),
        since=noon,
        updated_at=noon + 10 * PERIOD,
        resolved_at=None,
    )
    worse = msgspec.structs.replace(
        first, updated_at=noon + 40 * PERIOD, escalated=True, revision=2
    )
    over = msgspec.structs.replace(
        worse, updated_at=end, resolved_at=end, status="resolved", final=True, revision=3
    )
    return [first, worse, over]


def a_verdict(alert_id: str = "a1") -> AlertFeedback:
    """What a person said of an alert."""
    at = MIDNIGHT.replace(hour=15)
    return AlertFeedback(alert_id=alert_id, action="verdict", by="Ada", at=at, verdict="true")


@cache
def a_day(brand: str = "Nova") -> tuple[Trend | Alert | AlertFeedback, ...]:
    """A calm week, then a day whose noon is bad."""
    noon = MIDNIGHT.replace(hour=12)
    return (
        *sliding(MIDNIGHT - timedelta(days=2), 48, brand, posts=4, mean=0.3),
        *sliding(MIDNIGHT, 12, brand, posts=4, mean=0.3),
        *sliding(noon, 1, brand, posts=40, mean=-0.6),
        *sliding(noon + timedelta(hours=1), 11, brand, posts=4, mean=0.25),
        *incident(brand),
        a_verdict(),
    )


def gathered(records: Iterable[Trend | Alert | AlertFeedback]) -> Gathered:
    """Facts as a source gives them."""
    found = Gathered()
    for record in records:
        found.add(record)
    return found


def write(records: Iterable[Trend | Alert | AlertFeedback], folder: Path) -> None:
    """A run folder that holds them."""
    every = list(records)
    files = {
        Trend: "trends.jsonl",
        Rollup: "rollups.jsonl",
        Alert: "alerts.jsonl",
        AlertFeedback: "alert-feedback.jsonl",
    }
    for kind, file in files.items():
        lines = [encode(record) for record in every if type(record) is kind]
        (folder / file).write_bytes(b"".join(line + b"\n" for line in lines))
