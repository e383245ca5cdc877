"""The online detector of one series of counts: bursts and lasting rises against its own past."""

from __future__ import annotations

import math
from functools import lru_cache

import msgspec

from models.detection.seasonal import HOUR, SeasonalBaseline

SCALES = (0.5, 1.5, 4.5)  # hours over which counts fade: a burst, a rise, a new level
DISPERSION = 0.02  # squared relative scatter that no series lacks
DOUBT = 2.0  # how much more it scatters while the profile is not known
TAIL = 0.05  # share of departures above `usual`
NORMAL_QUANTILE = 1.645  # of 1 - TAIL: no series is called more even than chance
RATE_OF_USUAL = 0.008  # per hour: `usual` moves over weeks, so that an incident does not raise it
ORDINARY_PER_WEEK = 7.0  # of incidents above surprise 0, and how fast they thin out above it:
THINNING = 1.2  # fitted to tweet volumes of five brands (docs/decisions/0021)
HIGHEST_SCORE = 0.999999  # a threshold of 1 opens nothing
WARM_UP_SECONDS = 3 * 24 * HOUR
WARM_UP_ROWS = 48
FORGET_SECONDS = 7 * 24 * HOUR
CALM_SECONDS = 12 * HOUR
# What an ordinary week may bring at each sensitivity (docs/backtest.md says what was measured).
ALERTS_PER_WEEK = {"low": 0.05, "medium": 0.15, "high": 0.5}


class FadingCount(msgspec.Struct):
    """What was counted and expected lately, older rows fading, and how far they usually part."""

    counted: float = 0.0
    expected: float = 0.0
    usual: float = NORMAL_QUANTILE

    def add(self, count: float, expected: float, keep: float) -> FadingCount:
        """The same after one more row, of what was before the share `keep` being left."""
        return FadingCount(keep * self.counted + count, keep * self.expected + expected, self.usual)

    def departure(self, dispersion: float) -> float:
        """How far the counts lie above what was expected, in standard deviations.

        log((S + ½) / (M + ½)) / √(1 / (2M + 1) + φ): the log ratio of counted S and expected M
        over its deviation for a negative binomial with dispersion φ (delta method; fading
        weights halve the variance of a sum). Positive is more than expected.
        """
        ratio = math.log((self.counted + 0.5) / (self.expected + 0.5))
        return ratio / math.sqrt(1 / (2 * self.expected + 1) + dispersion)

    def learn_usual(self, departure: float, hours: float, days: float) -> None:
        """Move `usual` towards the 95 % quantile of departures (Robbins and Monro 1951)."""
        step = RATE_OF_USUAL * hours * max(1.0, 5 / (days + 0.5))
        surplus = (departure > self.usual) - TAIL
        self.usual = max(0.1, self.usual * math.exp(min(1.0, step) * surplus))

    @property
    def scale(self) -> float:
        """`usual`, but at least that of chance."""
        return max(NORMAL_QUANTILE, self.usual)


def fresh_scales() -> list[FadingCount]:
    """One for each of `SCALES`, before any row."""
    return [FadingCount() for _ in SCALES]


class CountScore(msgspec.Struct, frozen=True):
    """How unusual a row is.

    `expected` is the usual count of such a row; of means over an hour or two, 19 of 20 stay below
    `high`. `surprise` is the departure in units of the series' own 95 % quantile;
    `anomaly_score` in [0, 1] is the chance that an ordinary week stays below it. Both point up.
    """

    expected: float
    high: float
    surprise: float
    anomaly_score: float


class CountDetector(msgspec.Struct):
    """Scores each row of one series of counts against its past, then learns it.

    Rows come in order of time, each counting an equal stretch (a minute to an hour). Only more
    than usual is an anomaly. Until three days and 48 rows were learned, every score is 0: the
    profile of the day is not known yet. A week without rows starts that again. The state is
    about fifty numbers whatever the age of the series.

    >>> detector = CountDetector()
    >>> for hour in range(24 * 14):
    ...     detector.learn_one(hour * 3600, 40)
    >>> detector.score_one(24 * 14 * 3600, 41).anomaly_score < 0.01
    True
    >>> detector.score_one(24 * 14 * 3600, 400).anomaly_score > 0.99
    True
    """

    baseline: SeasonalBaseline = msgspec.field(default_factory=SeasonalBaseline)
    scales: list[FadingCount] = msgspec.field(default_factory=fresh_scales)
    started: int = 0
    last: int | None = None

    def score_one(self, time: int, count: float) -> CountScore:
        """How unusual `count` is at `time`, from what was learned before."""
        expected = self.baseline.expect(time)
        scales, departures = self._look(time, count, expected)
        pairs = zip(departures, scales, strict=True)
        surprise = sum(found / scale.scale for found, scale in pairs) / len(SCALES)
        score = score_of(surprise) if self.is_warm(time) else 0.0
        return CountScore(expected, expected * self._band(scales[1]), surprise, score)

    def learn_one(self, time: int, count: float) -> None:
        """Make the row part of what is usual.

        Raises:
            ValueError: `time` is not after the last row's.
        """
        if self.last is None or time - self.last > FORGET_SECONDS:
            self._start(time)
        elif time <= self.last:
            raise ValueError(f"rows must come in order of time: {time} after {self.last}")
        hours = min(1.0, self._gap_hours(time))
        expected = self.baseline.expect(time) if self.baseline.rows else count
        self.scales, departures = self._look(time, count, expected)
        for scale, departure in zip(self.scales, departures, strict=True):
            scale.learn_usual(departure, hours, self.baseline.days)
        self.baseline.learn_one(time, count, hours)
        self.last = time

    def is_warm(self, time: int) -> bool:
        """Whether enough was learned to judge a row at `time`."""
        known = self.last is not None and time - self.last <= FORGET_SECONDS
        return (
            known and self.baseline.rows >= WARM_UP_ROWS and time - self.started >= WARM_UP_SECONDS
        )

    def _start(self, time: int) -> None:
        self.baseline, self.scales = SeasonalBaseline(), fresh_scales()
        self.started, self.last = time, None

    def _gap_hours(self, time: int) -> float:
        return 0.0 if self.last is None else (time - self.last) / HOUR

    def _look(
        self, time: int, count: float, expected: float
    ) -> tuple[list[FadingCount], list[float]]:
        """Each scale after the row, and its departure."""
        gap, dispersion = self._gap_hours(time), self._dispersion()
        after = [
            scale.add(count, expected, math.exp(-gap / hours))
            for scale, hours in zip(self.scales, SCALES, strict=True)
        ]
        return after, [scale.departure(dispersion) for scale in after]

    def _dispersion(self) -> float:
        return DISPERSION * (1 + DOUBT * self.baseline.doubt)

    def _band(self, hour: FadingCount) -> float:
        """The ratio to the expected count that one mean in twenty exceeds."""
        return math.exp(hour.scale * math.sqrt(1 / (2 * hour.expected + 1) + self._dispersion()))


class AlertGate(msgspec.Struct):
    """Opens one alert for an incident: not again before half a day of calm.

    Calm is a surprise below half of what opens. Whatever the gate does, the detector learns the
    same, so a threshold can be chosen afterwards.
    """

    hot_until: int | None = None

    def update(self, time: int, score: float, threshold: float) -> bool:
        """Whether an alert opens at `time`, where alerts open at scores from `threshold` up."""
        is_open = self.hot_until is not None and time <= self.hot_until
        opens = not is_open and score >= threshold
        if opens or (is_open and score >= holding(threshold)):
            self.hot_until = time + CALM_SECONDS
        return opens


def score_of(surprise: float) -> float:
    """The chance that an ordinary week stays below `surprise`, at most 0.999999.

    exp(-rate) with rate = 7 · exp(-1.2 · surprise) incidents a week, taken to come as a Poisson
    process.

    >>> score_of(0), score_of(3.2)
    (0.000912, 0.860316)
    """
    rate = ORDINARY_PER_WEEK * math.exp(-THINNING * max(-10.0, surprise))
    return min(HIGHEST_SCORE, round(math.exp(-rate), 6))


def score_at(alerts_per_week: float) -> float:
    """The score that an ordinary series exceeds so often: exp(-rate).

    >>> score_at(0.15)
    0.860708
    """
    return round(math.exp(-alerts_per_week), 6)


@lru_cache(maxsize=64)
def holding(threshold: float) -> float:
    """The score at half the surprise of `threshold`.

    With t = 7 · exp(-1.2 · s) at surprise s, half of s gives √(7 · t).
    """
    rate = -math.log(max(threshold, 1e-6))
    return math.exp(-math.sqrt(ORDINARY_PER_WEEK * rate))
