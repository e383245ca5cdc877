"""Which emotion rises: the usual level of each group, against that of a window."""

from __future__ import annotations

import math

import msgspec

from models.detection.baselines import Departure
from models.detection.levels import FadingLevel, add_evidence
from models.detection.statistics import normal_tail, surprise
from models.detection.windows import decided, error_of_people, stands_alone
from schemas.records import Trend

EMOTION = "emotion_"  # signals are named by it and the group: emotion_anger
MEMORY = 48  # windows that do not overlap: four hours at the default width
WARM_UP = 12
LEAST_POSTS = 3
LEAST_SPREAD = 0.15  # of one group's probability between people
RISE = 0.2  # of a group's mean that is worth knowing of when it lasts
MOST_OF_A_WINDOW = 3.0  # nats: it takes four windows to say so, however full of it they are


class EmotionLevels(msgspec.Struct):
    """How strong each emotion group usually is, neutral left out.

    Learns windows that do not overlap, so that each post teaches once. A rise is scored by
    P(Z ≥ z) with z = (mean - usual - margin) / deviation, times the number of groups that are
    looked at (Bonferroni); the mean is the least that people can have had if all their further
    posts were full of it, so one author shouting is no rise. Where windows are too small to
    say so alone, evidence adds up: Page's CUSUM (1954) of log likelihood ratios
    S ← max(0, S + δ/v·(rise - δ/2)), δ = 0.2, v the variance of a window, at most three nats from
    one. The score is the higher of both. Before twelve windows nothing stands out. Six times four
    numbers.
    """

    groups: dict[str, FadingLevel] = {}
    evidence: dict[str, float] = {}

    def score_one(self, trend: Trend, margin: float) -> dict[str, Departure]:
        """How surprisingly high each known group is, by the name of its signal."""
        known = {name: level for name, level in self.groups.items() if level.n >= WARM_UP}
        found: dict[str, Departure] = {}
        for group in sorted(known.keys() & trend.mood.keys()):
            level, mood = known[group], trend.mood[group]
            error = error_of_people(trend, mood, LEAST_SPREAD)
            tail = normal_tail(level.deviations(of_people(trend, mood.mean) - margin, error))
            lasting = self._after(group, trend) / math.log(10) - math.log10(len(known))
            score = max(surprise(min(1.0, len(known) * tail)), round(lasting, 4))
            found[EMOTION + group] = Departure(mood.mean, round(level.mean, 4), score)
        return found

    def learn_one(self, trend: Trend) -> None:
        """Make a window part of what is usual, unless it overlaps one that was learned."""
        if not is_learned(trend):
            return
        for group, mood in trend.mood.items():
            if group != "neutral":
                self.evidence[group] = self._after(group, trend)
                level = self.groups.setdefault(group, FadingLevel())
                level.learn_one(mood.mean, error_of_people(trend, mood, LEAST_SPREAD), MEMORY)

    def _after(self, group: str, trend: Trend) -> float:
        """The evidence of a lasting rise with this window, if it is one of those learned."""
        before, level = self.evidence.get(group, 0.0), self.groups.get(group)
        if level is None or level.n < WARM_UP or not is_learned(trend):
            return before
        mood = trend.mood[group]
        error = error_of_people(trend, mood, LEAST_SPREAD)
        rise = of_people(trend, mood.mean) - level.mean - 2 * level.doubt()
        variance = error * error + level.scatter()
        return add_evidence(before, rise, RISE, variance, MOST_OF_A_WINDOW)


def is_learned(trend: Trend) -> bool:
    """Whether a window is one of those that do not overlap, and enough people decided."""
    return stands_alone(trend) and decided(trend) >= LEAST_POSTS


def of_people(trend: Trend, mean: float) -> float:
    """The least mean of one post of each person, if the others were all at one.

    (n·m - r) / (n - r) with n posts, of which r are of people who had posted already.
    """
    posts = max(1, decided(trend))
    people = max(1, min(posts, trend.authors))
    return max(0.0, (posts * mean - (posts - people)) / people)


def group_of(signal_name: str) -> str | None:
    """The emotion group that a signal is about.

    >>> group_of("emotion_anger"), group_of("volume")
    ('anger', None)
    """
    return signal_name.removeprefix(EMOTION) if signal_name.startswith(EMOTION) else None
