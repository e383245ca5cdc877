"""What is usual at this hour of this weekday: a level and two profiles, learnt row by row."""

from __future__ import annotations

import math

import msgspec

HOUR = 3600
HOURS_OF_LEVEL = 96.0  # what the level remembers: four days
LEAST_RATE_OF_DAY = 0.1  # per day: the profile of the day remembers about two work weeks
RATE_OF_WEEK = 0.1  # per day: a weekday comes once a week, so its factor moves slowly
LEAST_LEVEL = 0.02  # a row of a series in which nothing ever happens
MOST_FOLD = 3.0  # a row counts for at most so many times the usual: incidents barely teach
THURSDAY = 3  # 1970-01-01


class SeasonalBaseline(msgspec.Struct):
    """Expected count of a row: level · exp(hour factor + weekday factor).

    The level is an exponential mean of counts with the season taken out; the factors follow
    the relative error g = (count - expected) / (expected + 0.1) in [-1, 2] by stochastic
    approximation, neighbouring hours blended so that nothing jumps at the full hour. Counts are
    clipped at three times the usual plus three, so that an incident barely moves what is usual,
    while a lasting change is learnt within days. Times are epoch seconds.
    """

    level: float = LEAST_LEVEL
    rows: int = 0
    days: float = 0.0
    hours: list[float] = msgspec.field(default_factory=lambda: [0.0] * 24)
    weekdays: list[float] = msgspec.field(default_factory=lambda: [0.0] * 7)

    @property
    def doubt(self) -> float:
        """How little is known of the profile: 2 before the first day, then 1 / (days + ½)."""
        return 1 / (self.days + 0.5)

    def expect(self, time: int) -> float:
        """The usual count of a row at `time`."""
        return self.level * math.exp(self._season(time))

    def learn_one(self, time: int, count: float, hours: float) -> None:
        """Take in a row that stands for that many hours."""
        if self.rows == 0:
            self.level = max(count, 0.1)
        season = self._season(time)
        expected = self.level * math.exp(season)
        clipped = min(count, MOST_FOLD * expected + 3)
        error = max(-1.0, min(2.0, (clipped - expected) / (expected + 0.1)))
        self._learn_level(clipped / math.exp(season), hours)
        self._learn_hours(time, error, hours)
        day = weekday(time)
        step = RATE_OF_WEEK * hours / 24 * error
        self.weekdays[day] = max(-1.5, min(1.5, self.weekdays[day] + step))
        self.rows += 1
        self.days += hours / 24

    def _learn_level(self, count: float, hours: float) -> None:
        rate = max(min(1.0, hours / HOURS_OF_LEVEL), 1 / (self.rows + 12))
        self.level = max(LEAST_LEVEL, self.level + rate * (count - self.level))

    def _learn_hours(self, time: int, error: float, hours: float) -> None:
        rate = max(1 / (1 + self.days), LEAST_RATE_OF_DAY)
        for hour, weight in blend(time):
            factor = self.hours[hour] + rate * weight * hours * error
            self.hours[hour] = max(-3.0, min(3.0, factor))

    def _season(self, time: int) -> float:
        of_day = sum(weight * self.hours[hour] for hour, weight in blend(time))
        return of_day + self.weekdays[weekday(time)]


def blend(time: int) -> tuple[tuple[int, float], tuple[int, float]]:
    """The two hours whose middles lie around `time`, with weights that sum to one.

    >>> blend(3 * 3600 + 1800)
    ((3, 1.0), (4, 0.0))
    >>> blend(3 * 3600)
    ((2, 0.5), (3, 0.5))
    """
    position = (time - HOUR // 2) % (24 * HOUR) / HOUR
    hour = int(position)
    later = position - hour
    return (hour, 1 - later), ((hour + 1) % 24, later)


def weekday(time: int) -> int:
    """0 for Monday to 6 for Sunday, of epoch seconds.

    >>> weekday(0)
    3
    """
    return (time // (24 * HOUR) + THURSDAY) % 7
