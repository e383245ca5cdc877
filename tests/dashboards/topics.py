"""What people talked about on the invented day, as a run would have written it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from schemas.records import OTHER, Estimate, Topic
from tests.dashboards.story import DAY, EVIDENCE, VOICES, exemplar

HOUR = timedelta(hours=1)


def a_topic(hour: int = 15, **changes: Any) -> Topic:
    """Aerolume's smoke in the cabin, in the hour that begins then."""
    start = DAY + hour * HOUR
    defaults: dict[str, Any] = {
        "brand": "Aerolume",
        "window_start": start,
        "window_end": start + HOUR,
        "topic_id": "smoke",
        "terms": ("smoke", "cabin", "al482"),
        "pane_index": 400,
        "timing": "on_time",
        "final": False,
        "posts": 260,
        "posts_of_hour": 400,
        "authors": 190,
        "share_negative": Estimate(0.81, 0.74, 0.87),
        "valence": Estimate(-0.62, -0.7, -0.53),
        "exemplars": (
            exemplar(EVIDENCE[0], start, f"smoke{hour}"),
            exemplar(EVIDENCE[3], start + HOUR / 2, f"script{hour}"),
        ),
        "first_seen": DAY + 14 * HOUR,
        "is_new": True,
    }
    return Topic(**(defaults | changes))


def a_calm_topic(brand: str, name: str, hour: int, **changes: Any) -> Topic:
    """Something that people always say."""
    start = DAY + hour * HOUR
    usual: dict[str, Any] = {
        "brand": brand,
        "topic_id": name,
        "terms": (name,),
        "posts": 40,
        "share_negative": Estimate(0.12, 0.05, 0.25),
        "valence": Estimate(0.41, 0.3, 0.51),
        "exemplars": (exemplar(VOICES["Velora"][0], start, f"{name}{hour}"),),
        "first_seen": DAY + 7 * HOUR,
        "is_new": False,
    }
    return a_topic(hour, **(usual | changes))


def build_topics() -> Iterator[Topic]:
    """The afternoon of two brands; the others are too quiet to have any."""
    for hour in range(12, 16):
        yield a_calm_topic("Aerolume", "seats", hour)
        yield a_calm_topic("Nordbrew", "coffee", hour, posts=30 + hour)
        yield a_calm_topic("Aerolume", OTHER, hour, terms=(), posts=100, authors=0, exemplars=())
    yield a_calm_topic("Aerolume", "lounge", 14)
    yield a_topic(14, posts=90)
    yield a_topic(15)
