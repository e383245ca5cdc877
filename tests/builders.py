"""Builders of records for tests: every field has a plain default, name only what matters."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from schemas.emotions import EMOTIONS
from schemas.records import Delivery, Position, Post, Reading, SourcePost, Trend, Weights
from transforms.samples import Sample, samples_by_key
from transforms.tally import Tally
from transforms.windows import WindowKey, starts_of_windows

NOON = 1_767_268_800  # 2026-01-01T12:00:00Z, a multiple of every window period that tests use


def at(seconds: float) -> datetime:
    """The moment `seconds` after NOON."""
    return datetime.fromtimestamp(NOON + seconds, UTC)


def a_reading(**changes: Any) -> Reading:
    """A mildly positive reading of a text post; give `valence` to set the sentiment too."""
    valence = changes.get("valence", 0.2)
    emotions = dict.fromkeys(EMOTIONS, 0.01) | {"joy": 0.6} | changes.pop("emotions", {})
    defaults: dict[str, Any] = {
        "channel": "x",
        "post_id": "1",
        "created_at": at(0),
        "author": "author-1",
        "text": "The new phone is out",
        "lang": "en",
        "country": "unknown",
        "reach": 10,
        "is_repost": False,
        "permalink": None,
        "brands": ("Nova",),
        "cluster_id": "",
        "sentiment": _sentiment(valence),
        "emotions": emotions,
        "irony": 0.1,
        "offence": 0.1,
        "valence": valence,
        "confidence": 0.8,
        "abstained": False,
        "weights": Weights(1.0, 0.0),
        "mismatch": None,
        "model": "test",
    }
    return Reading(**(defaults | changes))


def an_image_reading(**changes: Any) -> Reading:
    """A reading of a post with an image that carries most of the weight."""
    pictured = {"weights": Weights(0.3, 0.7), "mismatch": 0.5, "thumbnails": ("f" * 64,)}
    return a_reading(**(pictured | changes))


def _sentiment(valence: float) -> dict[str, float]:
    negative, positive = max(0.0, -valence), max(0.0, valence)
    return {"negative": negative, "neutral": 1 - negative - positive, "positive": positive}


Mood = Callable[[random.Random, float], dict[str, Any]]


def calm(rng: random.Random, seconds: float) -> dict[str, Any]:
    """Fields of an everyday post: one in ten negative, one in five with an image."""
    changes: dict[str, Any] = {"valence": -0.5 if rng.random() < 0.1 else rng.uniform(-0.1, 0.6)}
    changes["text"] = rng.choice(("Nice phone today", "My phone arrived", "Camera of the phone"))
    if rng.random() < 0.2:
        changes |= {"thumbnails": (f"{rng.getrandbits(256):064x}",), "weights": Weights(0.7, 0.3)}
    return changes


def angry(rng: random.Random, seconds: float) -> dict[str, Any]:
    """Fields of a post about a burning battery, most of them negative."""
    changes = {"valence": rng.uniform(-0.9, -0.5) if rng.random() < 0.8 else 0.1}
    return changes | {"text": "The battery burns, recall it", "emotions": {"anger": 0.8}}


def pictured(rng: random.Random, seconds: float) -> dict[str, Any]:
    """Fields of a post whose words are neutral and whose image is not."""
    return {
        "valence": rng.uniform(-0.8, -0.5),
        "text": "Look at this phone",
        "thumbnails": (f"{rng.getrandbits(256):064x}",),
        "weights": Weights(0.25, 0.75),
        "mismatch": 0.8,
    }


def a_stream(
    seconds: float, per_minute: float, mood: Mood = calm, *, start: float = 0, seed: int = 1
) -> list[Reading]:
    """Readings of a Poisson stream of posts by as many authors, in order of event time."""
    rng = random.Random(seed)
    readings: list[Reading] = []
    now = start
    while (now := now + rng.expovariate(per_minute / 60)) < start + seconds:
        name = f"{seed}-{len(readings)}"
        base = {"post_id": name, "created_at": at(now), "author": f"author-{name}"}
        readings.append(a_reading(**(base | mood(rng, now))))
    return readings


def final_trends(readings: list[Reading], window: int = 300, period: int = 60) -> list[Trend]:
    """Final trends over all posts, as the stage makes them, in the order of their windows."""
    tallies: dict[WindowKey, Tally] = {}
    for reading in readings:
        for key, sample in spread(reading, window, period):
            tallies.setdefault(key, Tally()).learn_one(sample)
    return [
        tally.trend(key[:-1], key[-1], key[-1] + window, "final")
        for key, tally in sorted(tallies.items(), key=lambda item: item[0])
    ]


def spread(
    reading: Reading, window: int = 300, period: int = 60, dimensions: tuple[str, ...] = ()
) -> Iterator[tuple[WindowKey, Sample]]:
    """One sample for each window of each slice of each brand that a reading counts in."""
    for key, sample in samples_by_key(reading, dimensions):
        for start in starts_of_windows(reading.created_at.timestamp(), window, period):
            yield (*key, start), sample


def for_brand(readings: list[Reading], brand: str) -> list[Reading]:
    """The same readings about another brand."""
    return [msgspec.structs.replace(r, brands=(brand,)) for r in readings]


def a_delivery(value: bytes | dict[str, Any] | None = None, **changes: Any) -> Delivery:
    """A generic post as JSON; give fields of it as a dict, or any bytes."""
    if not isinstance(value, bytes):
        post = {"post_id": "1", "text": "The new phone is out", "created_at": at(0).isoformat()}
        value = msgspec.json.encode(post | (value or {}))
    defaults: dict[str, Any] = {"value": value, "position": Position("posts", 0, 7)}
    return Delivery(**(defaults | changes))


def a_source_post(**changes: Any) -> SourcePost:
    """A short English text post on X by one author."""
    defaults: dict[str, Any] = {
        "channel": "x",
        "post_id": "1",
        "created_at": at(0),
        "text": "The new phone is out",
        "author_id": "4711",
        "lang": "en",
    }
    return SourcePost(**(defaults | changes))


def a_post(**changes: Any) -> Post:
    """A clean text post that every stage takes."""
    text = changes.get("text", "The new phone is out")
    defaults: dict[str, Any] = {
        "channel": "x",
        "post_id": "1",
        "created_at": at(0),
        "author": "0123456789abcdef",
        "text": text,
        "model_text": text,
        "lang": "en",
        "position": Position("posts", 0, 7),
    }
    return Post(**(defaults | changes))
