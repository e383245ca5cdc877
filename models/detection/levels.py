"""Where a mean usually lies and how far it moves beyond chance, in three numbers."""

from __future__ import annotations

import math

import msgspec

LEAST_DEVIATION = 0.05  # a level is never known better, nor steadier
MOST_DEVIATIONS = 3.0  # a window counts for at most so much: incidents barely teach
CLIPPED_FROM = 5  # windows after which the deviation is known well enough to clip by
MOST_EVIDENCE = 20.0  # nats: what has lasted long is over an hour or two after it ended


class FadingLevel(msgspec.Struct):
    """A mean of windows in which older ones fade, and the variance that chance does not explain.

    With rate r = max(1 / (n + 1), 1 / memory) and residual x = value - mean, clipped at three
    deviations: mean ← mean + r·x, variance ← variance + r·(x² - error² - variance).
    """

    n: int = 0
    mean: float = 0.0
    variance: float = LEAST_DEVIATION**2

    def scatter(self) -> float:
        """Variance of windows beyond their own errors, at least 0.05²."""
        return max(LEAST_DEVIATION**2, self.variance)

    def doubt(self) -> float:
        """Standard error of the mean itself."""
        return math.sqrt(self.scatter() / max(1, self.n))

    def deviations(self, value: float, error: float) -> float:
        """How many deviations `value` with standard error `error` lies above the mean."""
        return (value - self.mean) / self.deviation(error)

    def deviation(self, error: float) -> float:
        """√(error² + scatter·(1 + 1/n)): of a window from the mean, and of the mean itself."""
        return math.sqrt(error * error + self.scatter() * (1 + 1 / max(1, self.n)))

    def learn_one(self, value: float, error: float, memory: float) -> None:
        """Take in one window; `memory` is how many the level rests on."""
        rate = max(1 / (self.n + 1), 1 / memory)
        residual = value - self.mean
        if self.n >= CLIPPED_FROM:
            most = MOST_DEVIATIONS * self.deviation(error)
            residual = max(-most, min(most, residual))
        self.mean += rate * residual
        if self.n:
            surplus = residual * residual - error * error
            self.variance += rate * (surplus - self.variance)
        self.n += 1


def add_evidence(
    before: float, departure: float, shift: float, variance: float, most: float
) -> float:
    """Evidence in nats that a level has shifted, with one more window: Page's CUSUM (1954).

    S ← max(0, S + δ/v·(x - δ/2)) of log likelihood ratios, with δ the `shift`, x the `departure`
    towards it and v the `variance` of a window, which adds or takes at most `most` nats.

    >>> add_evidence(1.0, departure=0.3, shift=0.2, variance=0.04, most=5.0)
    2.0
    """
    ratio = shift / variance * (departure - shift / 2)
    return max(0.0, min(MOST_EVIDENCE, before + max(-most, min(most, ratio))))
