"""Facts about the seasonal baseline: hours and weekdays are learnt, whatever the level."""

import pytest

from models.detection.seasonal import SeasonalBaseline, blend, weekday

HOUR = 3600


def learned(weeks: int, quiet_day: int | None = None) -> SeasonalBaseline:
    """A baseline of hours with 100 by day and 20 by night, a fifth of it on a quiet weekday."""
    baseline = SeasonalBaseline()
    for hour in range(weeks * 7 * 24):
        count = 100.0 if 8 <= hour % 24 < 20 else 20.0
        quiet = weekday(hour * HOUR) == quiet_day
        baseline.learn_one(hour * HOUR, count * (0.2 if quiet else 1), 1.0)
    return baseline


def test_days_and_nights_are_told_apart() -> None:
    baseline, midnight = learned(3), 21 * 24 * HOUR

    assert baseline.expect(midnight + 14 * HOUR) == pytest.approx(100, rel=0.15)
    assert baseline.expect(midnight + 3 * HOUR) == pytest.approx(20, rel=0.25)


def test_a_quiet_weekday_is_learnt() -> None:
    baseline, sunday = learned(12, quiet_day=6), (12 * 7 + 3) * 24 * HOUR
    assert weekday(sunday) == 6

    assert baseline.expect(sunday + 14 * HOUR) < 0.5 * baseline.expect(sunday + 38 * HOUR)


def test_doubt_falls_with_days() -> None:
    assert SeasonalBaseline().doubt == 2
    assert learned(2).doubt == pytest.approx(1 / 14.5)


def test_weights_of_neighbouring_hours_sum_to_one() -> None:
    for time in range(0, 86_400, 700):
        (first, weight), (second, other) = blend(time)

        assert weight + other == pytest.approx(1) and (first + 1) % 24 == second
