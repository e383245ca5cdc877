"""Facts about slow falls: noise and nights are none, a lasting fall is one though no window is."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.detection.decline import Decline
from schemas.records import Trend
from tests.trends import DAY, a_trend, a_usual_trend, usual_trends

OPENS = 6.0


def scores_of(trends: list[Trend]) -> list[float]:
    decline, scores = Decline(), []
    for trend in trends:
        found = decline.score_one(trend)
        scores.append(found.score if found else 0.0)
        decline.learn_one(trend)
    return scores


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 1000))
def test_two_weeks_with_moody_nights_are_no_decline(seed: int) -> None:
    assert max(scores_of(usual_trends(14 * DAY, seed))) < OPENS


@pytest.mark.parametrize("seed", range(3))
def test_a_fall_that_no_window_shows_is_found_within_hours(seed: int) -> None:
    draw = np.random.default_rng(seed)
    trends = usual_trends(3 * DAY, seed)
    trends += [a_usual_trend(3 * DAY + n, draw, mean=0.02) for n in range(1, DAY // 2)]

    scores = scores_of(trends)
    opened = next(place for place, score in enumerate(scores) if score >= OPENS)

    assert 3 * DAY + 12 < opened < 3 * DAY + 6 * 12  # an hour to six hours


def test_a_single_terrible_hour_is_no_decline() -> None:
    trends = usual_trends(3 * DAY, 5)
    trends += [a_trend(3 * DAY + n, mean=-0.9) for n in range(1, 13)]

    assert max(scores_of(trends)) < OPENS


def test_it_is_over_when_the_mood_is_back() -> None:
    draw = np.random.default_rng(6)
    trends = usual_trends(3 * DAY, 6)
    trends += [a_usual_trend(3 * DAY + n, draw, mean=-0.1) for n in range(1, 73)]
    trends += [a_usual_trend(3 * DAY + 72 + n, draw) for n in range(1, 49)]

    scores = scores_of(trends)

    assert max(scores) >= OPENS > 2 * scores[-1]


def test_the_first_day_is_not_judged() -> None:
    assert set(scores_of([a_trend(n, mean=0.5 - n / DAY) for n in range(1, DAY)])) == {0.0}


def test_a_new_level_becomes_usual_within_days() -> None:
    draw = np.random.default_rng(7)
    trends = usual_trends(3 * DAY, 7)
    trends += [a_usual_trend(3 * DAY + n, draw, mean=0.0) for n in range(1, 6 * DAY)]

    assert scores_of(trends)[-1] < OPENS / 2


def test_state_does_not_grow() -> None:
    decline = Decline()
    for trend in usual_trends(3 * DAY):
        decline.learn_one(trend)

    assert len(msgspec.msgpack.encode(decline)) < 500
