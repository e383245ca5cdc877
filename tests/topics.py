"""Hours of topics for tests, made of readings: name only what matters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from models.detection.mood_detector import Rules
from models.detection.topic_memory import HOUR_SECONDS, TopicHour
from models.detection.topic_watch import TopicRules
from schemas.records import Reading
from tests.builders import NOON, a_reading, at
from transforms.ledger import Terms
from transforms.playbooks import default_playbooks
from transforms.samples import samples_by_key
from transforms.topic_hours import hour_of
from transforms.topic_ledger import TopicTerms

USUAL = (
    "my order came early today thanks",
    "the order came with the wrong charger",
    "battery of my phone lasts two days",
    "battery lasts all week on this phone",
    "camera takes lovely night pictures",
    "night pictures of the camera look lovely",
)
BAGS = (
    "they lost my luggage in {}",
    "luggage gone missing at {} again",
    "still no luggage after {} hours",
    "lost luggage desk in {} is closed",
)
RULES = TopicRules(warm_up_hours=3, min_posts=10, min_authors=8)


def about(texts: Sequence[str], hour: float, posts: int, **changes: Any) -> list[Reading]:
    """So many posts by as many people in the hour that begins `hour` hours after NOON."""
    start = hour * HOUR_SECONDS
    return [
        a_reading(
            **(
                {
                    "post_id": f"{texts[0][:9]}-{hour}-{number}",
                    "author": f"{texts[0][:9]}-{hour}-{number}",
                    "created_at": at(start + (number + 0.5) * HOUR_SECONDS / posts),
                    "text": texts[number % len(texts)].format(f"place{number}"),
                }
                | changes
            )
        )
        for number in range(posts)
    ]


def an_hour(
    hour: int, readings: Iterable[Reading], *, final: bool = True, most: int = 10
) -> TopicHour:
    """The groups of the hour that begins so many hours after NOON."""
    samples = [sample for reading in readings for _, sample in samples_by_key(reading, ())]
    start = NOON + hour * HOUR_SECONDS
    return hour_of(start, samples, posts=len(samples), final=final, most=most)


def usual_hours(hours: int, first: int = 0) -> list[TopicHour]:
    """Hours of the same three subjects."""
    return [an_hour(n, about(USUAL, n, 24)) for n in range(first, first + hours)]


def terms(lateness: int = HOUR_SECONDS, rules: TopicRules = RULES, **changes: Any) -> TopicTerms:
    """The rules of these tests, with posts up to an hour late."""
    common = Rules(daily_budget=changes.pop("daily_budget", None))
    alerts = Terms(
        rules=common, playbooks=default_playbooks(), period=3600, lateness=lateness, **changes
    )
    return TopicTerms(rules=rules, alerts=alerts)
