"""What becomes of an incident besides its signals: steps, who is told, and how it ends well."""

from __future__ import annotations

import math

import msgspec

from models.detection.statistics import MAX_SCORE
from models.detection.windows import decided, end_of, stands_alone, width_of
from schemas.records import AlertKind, Trend

STEPS = (4, 7)  # severities from which a person looks at once, and from which one is woken
DAY_SECONDS = 24 * 3600
NEVER_FOLDED: frozenset[AlertKind] = frozenset({"image_led_crisis", "crisis", "feed_silent"})
RECOVERED = math.log(20)  # nats of evidence
HOPE_SECONDS = DAY_SECONDS  # later, what is usual has moved itself


def step_of(severity: int) -> int:
    """How many steps a severity has crossed.

    >>> [step_of(severity) for severity in (3, 4, 7)]
    [0, 1, 2]
    """
    return sum(severity >= step for step in STEPS)


class Budget(msgspec.Struct):
    """How many alerts of a brand were told on a day (UTC, event time), and how many were not."""

    day: int = 0
    told: int = 0
    folded: int = 0

    def admit(self, kind: AlertKind, opened: int, daily: int | None) -> bool:
        """Whether an alert that opens is within the budget; one that is not is counted."""
        if kind in NEVER_FOLDED:
            return True
        day = opened // DAY_SECONDS
        if day != self.day:
            self.day, self.told = day, 0
        if daily is not None and self.told >= daily:
            self.folded += 1
            return False
        self.told += 1
        return True

    def take_folded(self) -> int:
        """How many were not told since this was last asked."""
        folded, self.folded = self.folded, 0
        return folded


class Aftermath(msgspec.Struct, kw_only=True):
    """What follows an incident of bad mood: whether the mood comes back to what it was before.

    Page's CUSUM of log likelihood ratios that the share of negative people is the usual one rather
    than a margin above it, over windows that do not overlap: at ln 20 nats the mood is back.
    `usual` is the share before the incident.
    """

    kind: AlertKind
    closed: int
    usual: float
    muted: str = ""
    evidence: float = 0.0
    hits: int = 0
    people: int = 0

    def learn_one(self, trend: Trend, margin: float) -> None:
        """Take in a window that began after the incident was over."""
        if not stands_alone(trend) or end_of(trend) - width_of(trend) < self.closed:
            return
        people = min(trend.authors, decided(trend))
        hits = min(trend.negative_authors, people)
        usual = min(0.9, max(0.01, self.usual))
        worse = min(0.99, usual + margin)
        ratio = hits * math.log(usual / worse)
        ratio += (people - hits) * math.log((1 - usual) / (1 - worse))
        if self.evidence + ratio <= 0:
            self.evidence, self.hits, self.people = 0.0, 0, 0
            return
        self.evidence += ratio
        self.hits, self.people = self.hits + hits, self.people + people

    @property
    def is_recovered(self) -> bool:
        """Whether the mood is back."""
        return self.evidence >= RECOVERED

    @property
    def score(self) -> float:
        """The evidence as a -log10."""
        return round(min(MAX_SCORE, self.evidence / math.log(10)), 4)

    def is_over(self, end: int) -> bool:
        """Whether nothing will be told any more."""
        return end - self.closed > HOPE_SECONDS
