"""Facts about the count detector: quiet weeks stay quiet, bursts and lasting rises do not."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.detection.count_detector import (
    AlertGate,
    CountDetector,
    CountScore,
    holding,
    score_at,
    score_of,
)

STEP = 300
DAY = 86_400 // STEP
MEDIUM = score_at(0.15)


def usual_counts(weeks: int, level: float, seed: int, dispersion: float = 0.05) -> list[int]:
    """Over-dispersed counts every five minutes: busy days, quiet nights, quieter weekends."""
    draw = np.random.default_rng(seed)
    rows = np.arange(weeks * 7 * DAY)
    of_day = 1 + 0.8 * np.sin(2 * np.pi * (rows % DAY) / DAY)
    weekend = np.where(rows // DAY % 7 >= 5, 0.6, 1.0)
    mean = level * of_day * weekend
    # What moves the rate of posts lasts about an hour, so neighbouring rows share it.
    shared = np.repeat(draw.gamma(1 / dispersion, dispersion, len(rows) // 12 + 1), 12)
    return [int(n) for n in draw.poisson(mean * shared[: len(rows)])]


def scores_of(counts: list[int], step: int = STEP) -> list[CountScore]:
    detector, found = CountDetector(), []
    for row, count in enumerate(counts):
        found.append(detector.score_one(row * step, count))
        detector.learn_one(row * step, count)
    return found


def alerts_of(counts: list[int], threshold: float = MEDIUM) -> list[int]:
    """The rows at which alerts open."""
    gate, found = AlertGate(), scores_of(counts)
    return [
        row
        for row, one in enumerate(found)
        if gate.update(row * STEP, one.anomaly_score, threshold)
    ]


@pytest.mark.parametrize("level", [0.3, 3.0, 40.0, 900.0])
def test_seasonal_weeks_give_no_alert(level: float) -> None:
    assert alerts_of(usual_counts(4, level, seed=7)) == []


@pytest.mark.parametrize("level", [3.0, 40.0, 900.0])
def test_a_burst_gives_one_alert_within_minutes(level: float) -> None:
    counts = usual_counts(3, level, seed=8)
    begins = 15 * DAY + 60
    for row in range(begins, begins + 12):
        counts[row] += int(8 * level)

    (opened,) = alerts_of(counts)

    assert begins <= opened <= begins + 12


def test_a_level_shift_gives_one_alert_then_becomes_usual() -> None:
    counts = usual_counts(7, 40, seed=9)
    begins = 21 * DAY
    shifted = [count * 3 if row >= begins else count for row, count in enumerate(counts)]

    opened = alerts_of(shifted)

    assert opened and begins <= opened[0] <= begins + DAY // 2
    assert all(row < begins + 14 * DAY for row in opened)


def test_a_slow_drift_is_learnt_without_an_alert() -> None:
    counts = usual_counts(6, 40, seed=10)
    drifting = [int(count * (1 + row / (14 * DAY))) for row, count in enumerate(counts)]

    assert alerts_of(drifting) == []


def test_fewer_than_usual_is_no_anomaly() -> None:
    counts = usual_counts(3, 40, seed=11)
    counts[15 * DAY : 15 * DAY + 100] = [0] * 100

    assert alerts_of(counts) == []


def test_an_incident_hardly_moves_what_is_usual() -> None:
    counts = usual_counts(3, 40, seed=12)
    hit = counts.copy()
    hit[15 * DAY : 15 * DAY + 24] = [4000] * 24
    after = 16 * DAY + 12

    usual, moved = scores_of(counts)[after].expected, scores_of(hit)[after].expected

    assert moved == pytest.approx(usual, rel=0.25)


def test_nothing_is_judged_while_warming_up_nor_after_a_week_of_silence() -> None:
    detector = CountDetector()
    for row in range(3 * DAY):
        assert detector.score_one(row * STEP, 10**6).anomaly_score == 0
        detector.learn_one(row * STEP, 10)
    now = 3 * DAY * STEP
    assert detector.score_one(now, 10**6).anomaly_score > 0.9

    later = now + 8 * 86_400
    assert detector.score_one(later, 10**6).anomaly_score == 0
    detector.learn_one(later, 10)
    assert not detector.is_warm(later + STEP)


def test_scores_never_look_ahead() -> None:
    counts = usual_counts(2, 20, seed=13)
    changed = counts[:3000] + [9999] * (len(counts) - 3000)

    assert scores_of(counts)[:3000] == scores_of(changed)[:3000]


def test_hourly_rows_are_judged_too() -> None:
    counts = usual_counts(6, 40, seed=14)
    hourly = [sum(counts[row : row + 12]) for row in range(0, len(counts), 12)]
    quiet = max(one.anomaly_score for one in scores_of(hourly, 3600))
    hourly[600] *= 8

    assert quiet < MEDIUM < scores_of(hourly, 3600)[600].anomaly_score


def test_state_survives_serialisation_with_the_same_next_scores() -> None:
    counts = usual_counts(2, 20, seed=15)
    detector = CountDetector()
    for row, count in enumerate(counts[:2000]):
        detector.learn_one(row * STEP, count)
    data = msgspec.msgpack.encode(detector)
    again = msgspec.msgpack.decode(data, type=CountDetector)

    assert len(data) < 1024
    for row in range(2000, 2100):
        assert again.score_one(row * STEP, counts[row]) == detector.score_one(
            row * STEP, counts[row]
        )
        again.learn_one(row * STEP, counts[row])
        detector.learn_one(row * STEP, counts[row])


def test_scoring_changes_nothing() -> None:
    detector = CountDetector()
    for row, count in enumerate(usual_counts(1, 20, seed=16)):
        detector.learn_one(row * STEP, count)
    before = msgspec.msgpack.encode(detector)
    detector.score_one(8 * 86_400, 500)

    assert msgspec.msgpack.encode(detector) == before


def test_rows_out_of_order_are_refused() -> None:
    detector = CountDetector()
    detector.learn_one(600, 1)

    with pytest.raises(ValueError, match="order of time"):
        detector.learn_one(600, 1)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 10**9), min_size=80, max_size=120))
def test_scores_lie_between_0_and_1(counts: list[int]) -> None:
    found = scores_of(counts, step=3600)

    assert all(0 <= one.anomaly_score <= 1 and one.high >= one.expected for one in found)


def test_an_alert_opens_again_only_after_half_a_day_of_calm() -> None:
    gate, hour = AlertGate(), 3600
    assert gate.update(0, 0.95, 0.9)
    assert not gate.update(11 * hour, 0.95, 0.9)
    assert not gate.update(22 * hour, holding(0.9) + 0.01, 0.9)

    assert not gate.update(33 * hour, 0.95, 0.9)
    assert gate.update(46 * hour, 0.95, 0.9)


def test_half_a_surprise_holds_an_alert() -> None:
    for surprise in (1.0, 3.2, 6.0):
        assert holding(score_of(surprise)) == pytest.approx(score_of(surprise / 2), abs=1e-3)
