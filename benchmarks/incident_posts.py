"""Readings as a model would give them, drawn from moods that are known."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from schemas.emotions import GROUPS
from schemas.records import Reading, Weights

BAD = ("anger", "anger", "sadness", "disgust", "fear")
PLAIN = ("neutral", "neutral", "neutral", "surprise")
TEXTS = (
    "picked one up this morning",
    "does anybody else use this every day",
    "new version is out, thoughts",
    "my order came today",
    "talking about it at work again",
    "saw the advert on the train",
    "prices in the shop near me",
    "the app asks for an update",
)
REGULARS = 30  # people who post all the time
FROM_REGULARS, REPOSTED, WITH_IMAGE = 0.15, 0.1, 0.2
WORDS_LEAD, IMAGE_LEADS = Weights(0.7, 0.3), Weights(0.25, 0.75)
TEXT_ALONE = Weights(1.0, 0.0)


class Mood(NamedTuple):
    """Shares of posts: negative, positive, and of the strong ones in one emotion, if any."""

    negative: float = 0.18
    positive: float = 0.40
    emotion: str = ""
    emotional: float = 0.0


class Draft(NamedTuple):
    """What is fixed of a post before its mood is drawn."""

    brand: str
    at: float
    name: str
    author: str
    text: str
    cluster: str = ""
    reach: int = 50
    image: bool = False
    image_leads: bool = False


Drawing = Callable[[random.Random, Mood, Draft], Reading]


def draw_reading(rng: random.Random, mood: Mood, draft: Draft) -> Reading:
    """The reading of a post whose author feels as `mood` has it."""
    valence, emotion = _feel(rng, mood)
    emotions = {group: 0.08 * rng.random() for group in GROUPS}
    emotions[emotion] = rng.uniform(0.45, 0.9)
    weights = (IMAGE_LEADS if draft.image_leads else WORDS_LEAD) if draft.image else TEXT_ALONE
    return Reading(
        channel="x",
        post_id=draft.name,
        created_at=datetime.fromtimestamp(draft.at, UTC),
        author=draft.author,
        text=draft.text,
        lang="en",
        country="unknown",
        reach=draft.reach,
        is_repost=False,
        permalink=None,
        brands=(draft.brand,),
        cluster_id=draft.cluster,
        sentiment=_sentiment(valence),
        emotions=emotions,
        irony=0.1,
        offence=0.1,
        valence=valence,
        confidence=0.7,
        abstained=rng.random() < (0.35 if abs(valence) <= 0.2 else 0.1),
        weights=weights,
        mismatch=0.5 if draft.image else None,
        model="drawn",
        thumbnails=(f"{rng.getrandbits(256):064x}",) if draft.image else (),
    )


def _feel(rng: random.Random, mood: Mood) -> tuple[float, str]:
    chance = rng.random()
    if chance < mood.negative:
        valence, emotion = -rng.uniform(0.3, 0.9), rng.choice(BAD)
    elif chance < mood.negative + mood.positive:
        valence, emotion = rng.uniform(0.3, 0.9), "joy"
    else:
        valence, emotion = rng.uniform(-0.2, 0.2), rng.choice(PLAIN)
    if mood.emotion and rng.random() < mood.emotional:
        emotion = mood.emotion
    return round(valence, 6), emotion


def _sentiment(valence: float) -> dict[str, float]:
    """Probabilities whose difference is the valence; the leading one follows its sign from ±0.3."""
    if abs(valence) < 0.3:
        negative, positive = 0.1 + max(0.0, -valence), 0.1 + max(0.0, valence)
    else:
        negative, positive = (0.9 - valence) / 2, (0.9 + valence) / 2
    return {"negative": negative, "neutral": 1 - negative - positive, "positive": positive}
