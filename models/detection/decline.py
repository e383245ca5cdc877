"""A slow fall of mood that no window alone shows: CUSUM on valence against its own days."""

from __future__ import annotations

import math

import msgspec

from models.detection.baselines import Departure
from models.detection.levels import FadingLevel, add_evidence
from models.detection.seasonal import HOUR, blend
from models.detection.windows import decided, end_of, error_of_people, stands_alone, width_of
from schemas.records import Trend

DECLINE = "valence_decline"
FALL = 0.10  # of valence that is worth knowing of when it lasts
MOST_OF_A_WINDOW = 1.0  # nats: no single window makes a decline, however bad
MEMORY_SECONDS = 2 * 24 * HOUR
RECENT_WINDOWS = 6
LEAST_SPREAD = 0.3  # of valence between people
WARM_UP_SECONDS = 24 * HOUR
WARM_UP_WINDOWS = 24
LEAST_RATE_OF_DAY = 0.1  # per day, as for counts (models/detection/seasonal.py)


class Decline(msgspec.Struct):
    """Evidence that valence has lain below the usual for a while.

    Page's CUSUM (1954) of log likelihood ratios over windows that do not overlap:
    S ← max(0, S + δ/v·(usual - x - δ/2)), δ = 0.10, v the variance of a window. `usual` is the
    level of two days with a factor of the hour, less two of its standard errors, so that what is
    not known well is no decline. A window adds at most one nat. exp(S) bounds how many windows
    pass between false alarms at S (Lorden 1971), so the score is S / ln 10. Before a day and 24
    windows nothing is scored: nights differ from days. About forty numbers.
    """

    level: FadingLevel = msgspec.field(default_factory=FadingLevel)
    hours: list[float] = msgspec.field(default_factory=lambda: [0.0] * 24)
    recent: float = 0.0
    evidence: float = 0.0
    started: int | None = None

    def score_one(self, trend: Trend) -> Departure | None:
        """The evidence up to this window; None during the first day."""
        if not self._is_warm(end_of(trend)):
            return None
        evidence = self._after(trend) if stands_alone(trend) else self.evidence
        value = max(-1.0, min(1.0, self.recent))
        return Departure(round(value, 4), round(self.level.mean, 4), _score(evidence))

    def learn_one(self, trend: Trend) -> None:
        """Take in a window, unless it overlaps one that was, or nobody decided in it."""
        if not stands_alone(trend) or not decided(trend):
            return
        end, width = end_of(trend), width_of(trend)
        self.started = end if self.started is None else self.started
        self.evidence = self._after(trend) if self._is_warm(end) else 0.0
        error = error_of_people(trend, trend.valence, LEAST_SPREAD)
        value = trend.valence.mean - self._season(end)
        self._learn_hours(end, width, value - self.level.mean)
        self.recent += (value - self.recent) / min(RECENT_WINDOWS, self.level.n + 1)
        self.level.learn_one(value, error, MEMORY_SECONDS / width)

    def start_again(self) -> None:
        """Forget the evidence: what led to it was told."""
        self.evidence = 0.0

    def _after(self, trend: Trend) -> float:
        if not decided(trend):
            return self.evidence
        error = error_of_people(trend, trend.valence, LEAST_SPREAD)
        usual = self.level.mean + self._season(end_of(trend)) - 2 * self.level.doubt()
        fall, variance = usual - trend.valence.mean, error * error + self.level.scatter()
        return add_evidence(self.evidence, fall, FALL, variance, MOST_OF_A_WINDOW)

    def _is_warm(self, end: int) -> bool:
        known = self.level.n >= WARM_UP_WINDOWS and self.started is not None
        return known and end - (self.started or 0) >= WARM_UP_SECONDS

    def _season(self, end: int) -> float:
        return sum(weight * self.hours[hour] for hour, weight in blend(end))

    def _learn_hours(self, end: int, width: int, residual: float) -> None:
        days = (end - (self.started or end)) / (24 * HOUR)
        rate = max(1 / (2 + days), LEAST_RATE_OF_DAY) * min(1.0, width / HOUR)
        for hour, weight in blend(end):
            moved = self.hours[hour] + rate * weight * max(-0.5, min(0.5, residual))
            self.hours[hour] = max(-0.5, min(0.5, moved))


def _score(evidence: float) -> float:
    return round(evidence / math.log(10), 4)
