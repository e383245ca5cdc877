"""Means, shares and tail probabilities with honest intervals, the same in any order of input."""

from __future__ import annotations

import math

import msgspec
from scipy import special

from models.detection.repeats import BUCKETS
from schemas.records import Estimate

MICRO = 1_000_000
Z95 = 1.959963984540054
MAX_SCORE = 50.0


def micro(value: float) -> int:
    """`value` in millionths: integers add up to the same sum in any order, floats do not."""
    return round(value * MICRO)


class Moment(msgspec.Struct):
    """Count, sum and sum of squares in millionths: enough for a mean and its interval.

    >>> moment = Moment()
    >>> for value in (0.2, 0.4):
    ...     moment.learn_one(micro(value))
    >>> moment.mean
    0.3
    """

    n: int = 0
    total: int = 0
    squares: int = 0

    def learn_one(self, value: int) -> None:
        """Add one value in millionths."""
        self.n += 1
        self.total += value
        self.squares += value * value // MICRO

    def merge(self, other: Moment) -> None:
        """Add everything that `other` learned."""
        self.n += other.n
        self.total += other.total
        self.squares += other.squares

    @property
    def mean(self) -> float:
        """Mean of the values, 0 where there were none."""
        return round(self.total / (self.n * MICRO), 6) if self.n else 0.0

    @property
    def variance(self) -> float:
        """Mean squared distance of the values to their mean."""
        if not self.n:
            return 0.0
        mean = self.total / (self.n * MICRO)
        return max(0.0, self.squares / (self.n * MICRO) - mean * mean)

    def estimate(self, worth: float, lowest: float, highest: float) -> Estimate:
        """Mean with a 95 % interval, its values being worth so many independent ones.

        The score interval of a bounded quantity (`score_interval`) whose variance is that of the
        mean, s² / (worth - 1), with Student's quantile. Fewer than two independent values say
        nothing of the spread, so that their interval is the whole range.
        """
        if worth < 2:
            return Estimate(self.mean, lowest, highest)
        mean = self.total / (self.n * MICRO)
        of_mean = self.variance / (worth - 1)
        room = (mean - lowest) * (highest - mean)
        if of_mean <= 0 or room <= 0:
            return Estimate(self.mean, self.mean, self.mean)
        return score_interval(mean, room / of_mean, student(worth), lowest, highest)


def student(worth: float) -> float:
    """Student's 97.5 % quantile for a spread known from so many independent values.

    What they are worth is itself an estimate, from `BUCKETS` buckets, which takes its own toll.
    """
    freedom = 1 / (1 / (worth - 1) + 1 / (BUCKETS - 1))
    return float(special.stdtrit(freedom, 0.975))


def score_interval(
    mean: float, worth: float, quantile: float = Z95, lowest: float = 0.0, highest: float = 1.0
) -> Estimate:
    """Wilson's score interval (Wilson 1927) of the mean of a quantity in [lowest, highest].

    With p the mean on a scale from 0 to 1 and z the quantile: centre = (p + z²/2n) / (1 + z²/n),
    half width = z/(1 + z²/n) · √(p(1 - p)/n + z²/4n²), where p(1 - p)/n is the variance of the
    mean: n is how many answers yes or no would say as much. Unlike mean ± half width it follows
    skewed values and stays inside the range.
    """
    p = (mean - lowest) / (highest - lowest)
    z2 = quantile * quantile
    centre = (p + z2 / (2 * worth)) / (1 + z2 / worth)
    half = quantile / (1 + z2 / worth) * math.sqrt(p * (1 - p) / worth + z2 / (4 * worth * worth))
    low, high = (lowest + (highest - lowest) * end for end in (centre - half, centre + half))
    return Estimate(round(mean, 6), round(max(lowest, low), 6), round(min(highest, high), 6))


def share_estimate(hits: int, n: int, worth: float) -> Estimate:
    """Share `hits / n` with its 95 % score interval, the n being worth so many independent ones.

    The whole range where n is 0.

    >>> share_estimate(1, 10, worth=10)
    Estimate(mean=0.1, low=0.017876, high=0.40415)
    """
    return score_interval(hits / n, worth) if n else Estimate(0.0, 0.0, 1.0)


def surprise(probability: float) -> float:
    """-log10 of a tail probability in [0, 50]: 3 is one in a thousand. Higher is rarer."""
    if probability <= 10**-MAX_SCORE:
        return MAX_SCORE
    return round(max(0.0, -math.log10(probability)), 4)


def count_tail(count: int, mean: float, variance: float) -> float:
    """P(X ≥ count) of a negative binomial with that mean and variance; Poisson if variance ≤ mean.

    With r = mean² / (variance - mean) and q = mean / variance, P(X ≥ k) = I_{1-q}(k, r)
    (regularised incomplete beta); for Poisson it is the lower incomplete gamma P(k, mean).
    """
    if count <= 0:
        return 1.0
    if variance <= mean * (1 + 1e-9):
        return float(special.gammainc(count, mean))
    size = mean * mean / (variance - mean)
    return float(special.betainc(count, size, 1 - mean / variance))


def share_tail(hits: int, n: int, share: float) -> float:
    """P(X ≥ hits) of a binomial: I_share(hits, n - hits + 1), the regularised incomplete beta.

    >>> share_tail(2, 2, 0.5)
    0.25
    """
    if hits <= 0:
        return 1.0
    return float(special.betainc(hits, n - hits + 1, share))


def normal_tail(z: float) -> float:
    """P(Z ≥ z) of the standard normal."""
    return float(special.ndtr(-z))
