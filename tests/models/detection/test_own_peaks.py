"""Scores among a brand's own peaks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.detection.own_peaks import MEMORY_PEAKS, OwnPeaks

WIDTH, DAY = 300, 86400


def after_bursts(a_day: int, score: float, days: int = 7) -> OwnPeaks:
    """Peaks of a brand whose score reaches `score` so many times a day, and is 0 in between."""
    peaks = OwnPeaks(since=0)
    gap = DAY // a_day // WIDTH * WIDTH
    for end in range(WIDTH, days * DAY, WIDTH):
        peaks.learn_one(score if end % gap == 0 else 0.0, end, WIDTH)
    return peaks


@pytest.mark.parametrize("score", [0.5, 2.0, 4.0, 50.0])
def test_a_brand_without_peaks_is_judged_by_its_baseline_alone(score: float) -> None:
    assert OwnPeaks(since=0).temper(score, DAY, WIDTH) == score


def test_what_comes_twenty_times_a_day_opens_nothing_and_what_towers_above_it_does() -> None:
    peaks = after_bursts(a_day=20, score=4.5)
    assert peaks.temper(4.5, 8 * DAY, WIDTH) < 2
    assert peaks.temper(30.0, 8 * DAY, WIDTH) > 4


def test_a_score_says_how_often_a_window_reaches_it() -> None:
    """Half of ten peaks a day are above their median, and one a day may be an incident."""
    peaks = after_bursts(a_day=10, score=3.5)
    assert 10 ** -peaks.temper(3.5, 8 * DAY, WIDTH) == pytest.approx(4.5 / 288, rel=0.4)


def test_an_incident_a_day_does_not_make_the_next_one_usual() -> None:
    calm, struck = after_bursts(a_day=6, score=2.3), OwnPeaks(since=0)
    for end in range(WIDTH, 7 * DAY, WIDTH):
        incident = end % DAY == 9000
        struck.learn_one(40.0 if incident else 2.3 * (end % (DAY // 6) == 0), end, WIDTH)
    before, after = (one.temper(8.0, 8 * DAY, WIDTH) for one in (calm, struck))
    assert after == pytest.approx(before, rel=0.05)


def test_windows_that_overlap_are_one_peak() -> None:
    peaks = OwnPeaks(since=0)
    for end in range(60, 3600, 60):
        peaks.learn_one(3.0 if 600 <= end <= 1200 else 0.0, end, WIDTH)
    assert len(peaks.ends) == 1


def test_old_peaks_are_forgotten() -> None:
    peaks = after_bursts(a_day=20, score=4.5, days=10)
    assert len(peaks.ends) == MEMORY_PEAKS
    for end in (90 * DAY, 91 * DAY):
        peaks.learn_one(3.0, end, WIDTH)
    assert len(peaks.ends) == 1


@given(st.lists(st.floats(0, 50), max_size=100), st.floats(0, 50), st.floats(0, 10))
def test_a_score_is_never_raised_and_keeps_its_order(
    scores: list[float], score: float, more: float
) -> None:
    peaks = OwnPeaks(since=0)
    for number, one in enumerate(scores):
        peaks.learn_one(one, (number + 1) * 2 * WIDTH, WIDTH)
    end = 200 * 2 * WIDTH
    assert peaks.temper(score, end, WIDTH) <= score
    assert peaks.temper(score + more, end, WIDTH) >= peaks.temper(score, end, WIDTH)
