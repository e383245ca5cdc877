"""Means, shares and tail probabilities with honest intervals, the same in any order of input."""

from __future__ import annotations

import math

import msgspec
from scipy import special

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

    def estimate(self, lowest: float, highest: float) -> Estimate:
        """Mean with Student's 95 % interval, kept inside what the quantity can be.

        mean ± t(0.975, n - 1) · s / √n. One value alone says nothing of the spread, so its
        interval is the whole range, as is that of none.
        """
        if self.n < 2:
            return Estimate(self.mean, lowest, highest)
        mean = self.total / (self.n * MICRO)
        variance = max(0.0, self.squares / (self.n * MICRO) - mean * mean)
        error = math.sqrt(variance / (self.n - 1))
        half = float(special.stdtrit(self.n - 1, 0.975)) * error
        return Estimate(
            round(mean, 6), round(max(lowest, mean - half), 6), round(min(highest, mean + half), 6)
        )


def wilson(hits: int, n: int) -> Estimate:
    """Share `hits / n` with Wilson's 95 % score interval (Wilson 1927), [0, 1] where n is 0.

    centre = (p + z²/2n) / (1 + z²/n), half width = z/(1 + z²/n) · √(p(1 - p)/n + z²/4n²).

    >>> wilson(1, 10)
    Estimate(mean=0.1, low=0.017876, high=0.40415)
    """
    if n == 0:
        return Estimate(0.0, 0.0, 1.0)
    share, z2 = hits / n, Z95 * Z95
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return Estimate(round(share, 6), round(max(0.0, centre - half), 6), round(centre + half, 6))


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
