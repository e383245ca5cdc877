"""What others watch counts with: one score a row from past values alone; higher is rarer."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Protocol

import apache_beam as beam
import numpy as np
from apache_beam.ml.anomaly.base import AnomalyDetector
from apache_beam.ml.anomaly.detectors.iqr import IQR
from apache_beam.ml.anomaly.detectors.robust_zscore import RobustZScore
from apache_beam.ml.anomaly.detectors.zscore import ZScore

from models.detection.count_detector import CountDetector
from models.detection.seasonal import HOUR

DAY = 24 * HOUR


class Rule(Protocol):
    """Scores a row, then learns it."""

    def step(self, time: int, count: float) -> float:
        """The score of the row, by the rows before it."""


class Ours:
    """The count detector of this house."""

    def __init__(self) -> None:
        self.detector = CountDetector()

    def step(self, time: int, count: float) -> float:
        found = self.detector.score_one(time, count)
        warm = self.detector.is_warm(time)
        self.detector.learn_one(time, count)
        return found.surprise if warm else 0.0


class OfBeam:
    """A detector of `apache_beam.ml.anomaly`, with its own defaults (a window of 1,000 rows)."""

    def __init__(self, detector: AnomalyDetector) -> None:
        self.detector = detector

    def step(self, time: int, count: float) -> float:
        row = beam.Row(value=count)
        score = self.detector.score_one(row)
        self.detector.learn_one(row)
        return 0.0 if score is None or not math.isfinite(score) else float(score)


class HybridEsd:
    """Seasonal hybrid ESD (Hochenbaum, Vallis and Kejariwal 2017), online over fourteen days.

    |x - seasonal - median| / MAD of the window's residuals: the statistic of the first step of
    the test. The seasonal part is the mean of the same time of day, taken again every hour.
    """

    def __init__(self, days: int = 14) -> None:
        self.rows: deque[tuple[int, float]] = deque()
        self.days = days
        self.fitted_at = -HOUR
        self.seasonal: dict[int, float] = {}
        self.middle = self.mad = 0.0

    def step(self, time: int, count: float) -> float:
        if time - self.fitted_at >= HOUR and len(self.rows) > 100:
            self._fit(time)
        residual = count - self.seasonal.get(time % DAY // 300, 0.0) - self.middle
        self.rows.append((time, count))
        while self.rows[0][0] <= time - self.days * DAY:
            self.rows.popleft()
        return abs(residual) / self.mad if self.mad > 0 else 0.0

    def _fit(self, time: int) -> None:
        self.fitted_at = time
        times, counts = np.array(self.rows).T
        slots = (times % DAY // 300).astype(int)
        sums, sizes = np.bincount(slots, counts), np.bincount(slots)
        means = sums / np.maximum(sizes, 1) - counts.mean()
        self.seasonal = {int(slot): float(means[slot]) for slot in np.unique(slots)}
        left = counts - means[slots]
        self.middle = float(np.median(left))
        self.mad = 1.4826 * float(np.median(np.abs(left - self.middle)))


class Sliding:
    """Mean and deviation over a stretch of time, updated row by row."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        self.rows: deque[tuple[int, float]] = deque()
        self.total = self.squares = 0.0

    def push(self, time: int, value: float) -> None:
        """Add a row and let go of what is too old."""
        self.rows.append((time, value))
        self.total, self.squares = self.total + value, self.squares + value * value
        while self.rows[0][0] <= time - self.seconds:
            _, old = self.rows.popleft()
            self.total, self.squares = self.total - old, self.squares - old * old

    @property
    def mean(self) -> float:
        """Mean of the stretch, 0 where it is empty."""
        return self.total / len(self.rows) if self.rows else 0.0

    @property
    def deviation(self) -> float:
        """Standard deviation of the stretch."""
        if not self.rows:
            return 0.0
        return math.sqrt(max(0.0, self.squares / len(self.rows) - self.mean**2))


class AdaptiveBands:
    """Prometheus' bands: a smoothed hour against mean ± k · stddev of such hours over 26 hours."""

    def __init__(self) -> None:
        self.hour, self.band = Sliding(HOUR), Sliding(26 * HOUR)

    def step(self, time: int, count: float) -> float:
        self.hour.push(time, count)
        mean, deviation = self.band.mean, self.band.deviation
        self.band.push(time, self.hour.mean)
        return (self.hour.mean - mean) / deviation if deviation > 1e-9 else 0.0


class OneAgainstTwelve:
    """Posts of the last hour over the hourly mean of the twelve before it."""

    def __init__(self) -> None:
        self.hour, self.before = Sliding(HOUR), Sliding(12 * HOUR)
        self.waiting: deque[tuple[int, float]] = deque()

    def step(self, time: int, count: float) -> float:
        self.hour.push(time, count)
        self.waiting.append((time, count))
        while self.waiting and self.waiting[0][0] <= time - HOUR:
            self.before.push(*self.waiting.popleft())
        now, usual = self.hour.total, self.before.mean * len(self.hour.rows)
        return (now + 1) / (usual + 1) if self.before.rows else 0.0


RULES: dict[str, Callable[[], Rule]] = {
    "Moodwire's count detector": Ours,
    "Beam ZScore": lambda: OfBeam(ZScore()),
    "Beam RobustZScore": lambda: OfBeam(RobustZScore()),
    "Beam IQR": lambda: OfBeam(IQR()),
    "S-H-ESD, 14 days": HybridEsd,
    "Prometheus adaptive bands": AdaptiveBands,
    "one hour against twelve": OneAgainstTwelve,
}
