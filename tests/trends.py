"""Trends for tests of detectors, made without readings: name only what matters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from models.detection.incident import Incident
from models.detection.incidents import Watch
from models.detection.mood_detector import Rules, rules_for
from models.detection.statistics import Z95, share_estimate
from schemas.emotions import GROUPS
from schemas.records import Echo, Estimate, Exemplar, Slice, Trend, Weights
from tests.builders import at

WIDTH = 300
DAY = 86_400 // WIDTH  # windows that do not overlap
MEDIUM = rules_for("medium")


def around(mean: float, spread: float, people: int, low: float = -1.0) -> Estimate:
    """A mean with the interval of so many people who differ by `spread`."""
    half = Z95 * spread / max(1, people) ** 0.5
    return Estimate(mean, max(low, mean - half), min(1.0, mean + half))


def a_trend(number: float, **changes: Any) -> Trend:
    """The window of five minutes that ends `number` windows after NOON: thirty people at ease."""
    end = number * WIDTH
    posts = changes.get("posts", 30)
    authors = changes.get("authors", posts)
    negative = changes.get("negative_authors", posts // 10)
    moods = {"joy": 0.3, "neutral": 0.5} | changes.pop("moods", {})
    defaults: dict[str, Any] = {
        "brand": "Nova",
        "slice": Slice(),
        "window_start": at(end - WIDTH),
        "window_end": at(end),
        "pane_index": posts,
        "timing": "final",
        "final": True,
        "posts": posts,
        "authors": posts,
        "clusters": posts,
        "posts_with_image": 0,
        "abstained": 0,
        "reach": 10 * posts,
        "valence": around(changes.pop("mean", 0.2), 0.4, posts),
        "valence_reach_weighted": 0.2,
        "image_valence": None,
        "share_negative": share_estimate(negative, posts, posts),
        "mood": {group: around(moods.get(group, 0.1), 0.15, authors, 0.0) for group in GROUPS},
        "image_weight": 0.0,
        "negative_authors": negative,
        "echo": an_echo(posts, 1, 1),
    }
    return Trend(**(defaults | changes))


def an_echo(posts: int, copies: int, authors: int, voices: int | None = None) -> Echo:
    """The echo of a window of `posts`, `copies` of which are one text by `authors`."""
    sampled = min(posts, 64)
    shown = an_exemplar("Only 3 left, claim yours") if copies >= 3 else None
    return Echo(
        sampled=sampled,
        posts=min(copies, sampled),
        voices=voices or max(1, sampled - copies + authors),
        authors=authors,
        exemplar=shown,
    )


def an_exemplar(text: str) -> Exemplar:
    """A post that says `text`."""
    return Exemplar(
        channel="x",
        post_id=text,
        created_at=at(0),
        text=text,
        valence=0.1,
        emotion="joy",
        reach=10,
        weights=Weights(1.0, 0.0),
    )


def usual_trends(windows: int, seed: int = 0, first: int = 1) -> list[Trend]:
    """Windows of about thirty people as chance and a day's course make them."""
    draw = np.random.default_rng(seed)
    return [a_usual_trend(first + number, draw) for number in range(windows)]


def a_usual_trend(number: int, draw: np.random.Generator, **changes: Any) -> Trend:
    """One of them: mood and number of people scatter, and follow the hour of the day a little."""
    of_day = float(np.sin(2 * np.pi * (number % DAY) / DAY))
    posts = changes.setdefault("posts", 1 + int(draw.poisson(30 * (1 + 0.5 * of_day))))
    changes.setdefault("authors", posts)
    scatter = 0.4 / posts**0.5
    changes["mean"] = changes.get("mean", 0.2) + 0.05 * of_day + float(draw.normal(0, scatter))
    changes.setdefault("negative_authors", int(draw.binomial(changes["authors"], 0.1)))
    rises = changes.pop("moods", {})
    changes["moods"] = {
        group: rises.get(group, 0.1) + abs(float(draw.normal(0, 0.15 / posts**0.5)))
        for group in GROUPS
    }
    changes.setdefault("echo", an_echo(posts, int(draw.integers(1, 3)), 1))
    return a_trend(number, **changes)


def incidents_of(trends: Iterable[Trend], rules: Rules = MEDIUM) -> list[Incident]:
    """Every incident of windows that do not overlap, the open one last."""
    watch = Watch()
    found = [closed for trend in trends for closed in watch.learn_one(trend, rules, WIDTH)]
    return found + ([watch.incident] if watch.incident else [])


def replaced(
    trends: list[Trend], first: int, last: int, change: Callable[[int], Trend]
) -> list[Trend]:
    """`trends` from window 1 on, those from `first` up to `last` made anew by their numbers."""
    return [change(n) if first <= n < last else trend for n, trend in enumerate(trends, start=1)]
