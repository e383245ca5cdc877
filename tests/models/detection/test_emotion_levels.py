"""Facts about rising emotions: noise raises none, a rise is named."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.detection.emotion_levels import WARM_UP, EmotionLevels
from tests.trends import DAY, a_trend, a_usual_trend, usual_trends


def levels_after(windows: int, seed: int = 0) -> EmotionLevels:
    levels = EmotionLevels()
    for trend in usual_trends(windows, seed):
        levels.learn_one(trend)
    return levels


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 1000))
def test_a_week_of_noise_stays_below_what_opens(seed: int) -> None:
    levels, highest = EmotionLevels(), 0.0
    for trend in usual_trends(7 * DAY, seed):
        found = levels.score_one(trend, margin=0.10)
        highest = max([highest, *(departure.score for departure in found.values())])
        levels.learn_one(trend)

    assert highest < 4


@pytest.mark.parametrize("group", ["anger", "fear", "joy"])
def test_the_emotion_that_rises_is_named(group: str) -> None:
    draw = np.random.default_rng(3)
    found = levels_after(DAY).score_one(a_usual_trend(DAY, draw, moods={group: 0.5}), margin=0.10)

    assert max(found, key=lambda name: found[name].score) == f"emotion_{group}"
    assert found[f"emotion_{group}"].score > 4
    assert all(d.score < 2 for name, d in found.items() if name != f"emotion_{group}")


def test_nothing_is_scored_before_the_warm_up() -> None:
    assert levels_after(WARM_UP - 1).score_one(a_trend(20), 0.1) == {}


def test_one_author_shouting_is_no_rise() -> None:
    levels = levels_after(DAY)
    crowd = a_trend(DAY, posts=60, authors=60, moods={"anger": 0.5})
    shout = a_trend(DAY, posts=60, authors=2, moods={"anger": 0.5})

    assert levels.score_one(crowd, 0.1)["emotion_anger"].score > 4
    assert levels.score_one(shout, 0.1)["emotion_anger"].score < 2


def test_windows_that_overlap_teach_once() -> None:
    levels = levels_after(DAY)
    before = msgspec.msgpack.encode(levels)
    levels.learn_one(a_trend(DAY + 0.2))

    assert msgspec.msgpack.encode(levels) == before


def test_state_does_not_grow() -> None:
    sizes = [len(msgspec.msgpack.encode(levels_after(n))) for n in (DAY, 4 * DAY)]

    assert max(sizes) < 400
