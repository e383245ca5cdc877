"""What is usual for a brand: robust baselines over its recent windows, in small plain state."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

import msgspec

from models.detection.statistics import (
    MICRO,
    count_tail,
    micro,
    normal_tail,
    share_tail,
    surprise,
)

CAPACITY = 240  # windows remembered: four hours at the default period of a minute
LEAST_DISPERSION = 0.02  # posts come in bursts: never as even as Poisson
LEAST_DEVIATION = 0.05  # valence: a level is never known better
LEAST_COUNT = 0.25  # posts a window expected of a brand that nobody has named yet
SEASONAL_DISPERSION = 0.1  # of what an hour of a weekday brings
MAD_TO_DEVIATION = 1.4826  # median absolute deviation of a normal, to its standard deviation


class Departure(msgspec.Struct, frozen=True):
    """A measured value, what was expected of it, and how surprising it is (-log10 p)."""

    value: float
    expected: float
    score: float


class CountBaseline(msgspec.Struct):
    """How many people usually post in a window.

    The mean and variance of the last windows, each count clipped at median + 3 deviations (by
    MAD), so that an incident barely moves them. A count is scored by the upper tail of a negative
    binomial whose variance adds over-dispersion and the uncertainty of the mean itself.
    """

    counts: list[int] = []

    def score_one(self, count: int, overlap: float = 1.0, usual: float = 0.0) -> Departure:
        """How surprisingly high `count` is; each `overlap` windows are worth one of news.

        `usual` is what the hour of the weekday brings, where that is known: a morning that is
        busier than the night before it is no surprise.
        """
        mean, variance = self._moments()
        if self.counts:
            variance += mean * overlap / len(self.counts)
        if usual > mean:
            dispersion = max(SEASONAL_DISPERSION, (variance - mean) / mean**2)
            mean, variance = usual, usual + dispersion * usual**2
        tail = count_tail(count, mean, variance)
        return Departure(float(count), round(mean, 4), surprise(tail))

    def learn_one(self, count: int) -> None:
        """Remember one window."""
        self.counts.append(count)
        del self.counts[:-CAPACITY]

    def learn_empty(self, windows: int) -> None:
        """Remember that many windows without a post; costs no more for years than for hours."""
        self.counts.extend([0] * min(windows, CAPACITY))
        del self.counts[:-CAPACITY]

    def _moments(self) -> tuple[float, float]:
        if not self.counts:
            return LEAST_COUNT, LEAST_COUNT
        clipped = clip_high(self.counts)
        mean = max(LEAST_COUNT, sum(clipped) / len(clipped))
        spread = sum(count * count for count in clipped) / len(clipped) - mean * mean
        return mean, max(spread, mean + LEAST_DISPERSION * mean * mean)


class ShareBaseline(msgspec.Struct):
    """Which share of the people who post is usually negative.

    Windows weigh by their people up to twice the median, so that a storm does not become the
    usual. Five people of one in four negative stand in for what is not known yet.
    """

    hits: list[int] = []
    totals: list[int] = []

    @property
    def share(self) -> float:
        """The usual share."""
        if not self.totals:
            return 0.25
        cap = 2 * statistics.median(self.totals)
        weights = [n if n < cap else cap for n in self.totals]
        hits = sum(w * h / n for w, h, n in zip(weights, self.hits, self.totals, strict=True))
        return (hits + 1.25) / (sum(weights) + 5)

    def score_one(self, hits: int, total: int, margin: float) -> Departure:
        """How surprisingly high `hits` of `total` is, by P(X ≥ hits) at the usual share + margin.

        The margin keeps a slow drift of the share, and its scatter beyond binomial, from alerting.
        """
        usual = self.share
        tail = share_tail(hits, total, min(0.99, usual + margin)) if total else 1.0
        value = hits / total if total else 0.0
        return Departure(round(value, 4), round(usual, 4), surprise(tail))

    def learn_one(self, hits: int, total: int) -> None:
        """Remember one window; one without people teaches nothing."""
        if total:
            self.hits.append(hits)
            self.totals.append(total)
            del self.hits[:-CAPACITY], self.totals[:-CAPACITY]


class LevelBaseline(msgspec.Struct):
    """Where a mean in [-1, 1] usually lies: the median of recent windows, 0 before any.

    Means of few posts scatter by chance, so their own standard errors are taken out of the
    scatter of windows before it counts as how the level moves.
    """

    levels: list[int] = []
    errors: list[int] = []

    @property
    def expected(self) -> float:
        """The usual level."""
        return statistics.median(self.levels) / MICRO if self.levels else 0.0

    def score_one(self, mean: float, error: float, margin: float) -> Departure:
        """How surprisingly low `mean` with standard error `error` is, `margin` not counted.

        P(Z ≥ z) with z = (expected - margin - mean) / √(error² + deviation²).
        """
        z = (self.expected - margin - mean) / math.hypot(error, self._deviation())
        return Departure(mean, round(self.expected, 4), surprise(normal_tail(z)))

    def learn_one(self, mean: float, error: float) -> None:
        """Remember one window."""
        self.levels.append(micro(mean))
        self.errors.append(micro(error))
        del self.levels[:-CAPACITY], self.errors[:-CAPACITY]

    def _deviation(self) -> float:
        """√(MAD² - median error²), at least 0.05; 0.2 before any window."""
        if not self.levels:
            return 0.2
        scatter, chance = mad(self.levels) / MICRO, statistics.median(self.errors) / MICRO
        return math.sqrt(max(LEAST_DEVIATION**2, scatter**2 - chance**2))


def mad(values: Sequence[int]) -> float:
    """Standard deviation as the median absolute deviation tells it."""
    middle = statistics.median(values)
    return MAD_TO_DEVIATION * statistics.median([abs(v - middle) for v in values])


def clip_high(counts: Sequence[int]) -> list[float]:
    """`counts`, none above median + 3 deviations (a deviation is at least √median and 1).

    >>> clip_high([4, 4, 4, 4, 90])
    [4, 4, 4, 4, 10.0]
    """
    middle = statistics.median(counts)
    ceiling = middle + 3 * max(mad(counts), middle**0.5, 1.0)
    return [count if count < ceiling else ceiling for count in counts]
