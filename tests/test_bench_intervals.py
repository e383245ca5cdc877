"""Facts about the intervals of trends: they hold the truth as often as they say."""

import pytest

from benchmarks.bench_intervals import Coverage, cover, mean_coverage
from benchmarks.simulated_windows import CROWDS, NAMES

ROUNDS = 400
CHANCE = 0.025  # 2.3 standard errors of a share of 95 % over so many windows


@pytest.fixture(scope="module")
def found() -> list[Coverage]:
    return [cover(crowd, ROUNDS) for crowd in CROWDS if crowd.posts <= 200]


@pytest.mark.parametrize("name", NAMES)
def test_intervals_hold_the_truth_as_often_as_they_say(name: str, found: list[Coverage]) -> None:
    assert 0.93 <= mean_coverage(found)[name] <= 0.97


def test_no_kind_of_crowd_is_far_off(found: list[Coverage]) -> None:
    far = {
        (one.crowd, name): held
        for one in found
        for name, held in one.held.items()
        if not 0.93 - CHANCE <= held <= 0.97 + CHANCE
    }

    assert far == {}


def test_posts_taken_as_independent_would_promise_too_much(found: list[Coverage]) -> None:
    reposts = next(one for one in found if one.crowd == "200 posts, all of this")

    assert reposts.held_if_independent["valence"] < 0.85 < reposts.held["valence"]
