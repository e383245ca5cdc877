"""Posts in, topics and alerts out, as a run tells them: hours and the ledger without Beam."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from benchmarks.incident_play import TERMS
from benchmarks.incident_posts import Draft, Mood, draw_reading
from models.detection.topic_memory import HOUR_SECONDS, TopicHour
from models.detection.topic_watch import TopicRules
from schemas.records import Alert, Reading, Topic
from transforms.near_duplicates import cluster_id
from transforms.samples import samples_by_key
from transforms.topic_hours import hour_of
from transforms.topic_ledger import TopicLedger, TopicTerms

BEGIN = 1_767_225_600  # 2026-01-01T00:00:00Z
MOST = 10


class Said(NamedTuple):
    """A text that somebody posts at a moment, and the event that it is about, if planted."""

    at: float
    text: str
    event: str = ""


class Played(NamedTuple):
    """The final topics of each hour, and the final alerts."""

    topics: list[Topic]
    alerts: list[Alert]


def spread_out(texts: Sequence[str], per_hour: float) -> list[Said]:
    """Texts at an even pace, so many an hour, in the order given."""
    return [Said(BEGIN + n * HOUR_SECONDS / per_hour, text) for n, text in enumerate(texts)]


def plant(texts: Sequence[str], event: str, start: float, seconds: float, seed: int) -> list[Said]:
    """Texts about an event at random moments from `start` on."""
    rng = random.Random(seed)
    return sorted(Said(start + rng.uniform(0, seconds), text, event) for text in texts)


def reading_of(brand: str, number: int, said: Said, rng: random.Random) -> Reading:
    """The reading of a post by an author who posts once."""
    name = f"{said.event}{number}"
    draft = Draft(brand, said.at, name, f"author-{name}", said.text, cluster_id(said.text))
    return draw_reading(rng, Mood(), draft)


def hours_in(brand: str, said: Iterable[Said]) -> Iterator[TopicHour]:
    """Each hour's groups, in the order of the hours."""
    rng = random.Random(brand)
    held: dict[int, list[Reading]] = {}
    for number, post in enumerate(said):
        reading = reading_of(brand, number, post, rng)
        held.setdefault(int(post.at // HOUR_SECONDS) * HOUR_SECONDS, []).append(reading)
    for start in sorted(held):
        samples = [sample for r in held.pop(start) for _, sample in samples_by_key(r, ())]
        yield hour_of(start, samples, posts=len(samples), final=True, most=MOST)


def play_topics(brand: str, hours: Iterable[TopicHour], rules: TopicRules) -> Played:
    """Topics and alerts of one brand."""
    ledger, terms = TopicLedger(brand=brand), TopicTerms(rules=rules, alerts=TERMS)
    played = Played([], [])
    last = BEGIN
    for hour in hours:
        ledger.learn_one(hour)
        told = ledger.advance(hour.end, terms)
        played.topics.extend(topic for topic in told.topics if topic.final)
        played.alerts.extend(alert for alert in told.alerts if alert.final)
        last = hour.end
    told = ledger.advance(last + 30 * 24 * HOUR_SECONDS, terms)
    played.alerts.extend(alert for alert in told.alerts if alert.final)
    return played
