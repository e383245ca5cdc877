"""Facts about silence: nights and weekends are usual, an outage by day is not."""

import msgspec
import numpy as np
import pytest

from models.detection.rhythm import Rhythm, silence_score
from tests.builders import NOON

WIDTH = 300
DAY = 86_400 // WIDTH


def learned(days: float, by_day: float, by_night: float, seed: int = 1) -> tuple[Rhythm, int]:
    """A rhythm and the end of its last window with people; nights are six hours long."""
    draw, rhythm, last = np.random.default_rng(seed), Rhythm(), NOON
    for number in range(1, int(days * DAY)):
        hour = (12 + number * WIDTH / 3600) % 24
        people = int(draw.poisson(by_night if hour < 6 else by_day))
        if people:
            last = NOON + number * WIDTH
            rhythm.learn_one(last, WIDTH, people)
    return rhythm, last


@pytest.mark.parametrize(("by_day", "minutes"), [(5.0, 240), (20.0, 90), (200.0, 20)])
def test_an_outage_by_day_is_found_the_sooner_the_more_is_usual(
    by_day: float, minutes: int
) -> None:
    rhythm, last = learned(5, by_day, by_day / 10)
    found = rhythm.silent_at(last, None, WIDTH, score=4)

    assert found is not None
    assert WIDTH < found[0] - last <= minutes * 60


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("by_day", "by_night"), [(0.2, 0.02), (3.0, 0.0), (30.0, 0.1)])
def test_usual_pauses_are_no_silence(by_day: float, by_night: float, seed: int) -> None:
    draw = np.random.default_rng(seed)
    rhythm, last = learned(4, by_day, by_night, seed)
    told = []
    for number in range(4 * DAY, 18 * DAY):
        hour = (12 + number * WIDTH / 3600) % 24
        people = int(draw.poisson(by_night if hour < 6 else by_day))
        end = NOON + number * WIDTH
        if people:
            told += [rhythm.silent_at(last, end, WIDTH, score=4)]
            rhythm.learn_one(end, WIDTH, people)
            last = end

    assert [found for found in told if found] == []


def test_a_brand_of_two_days_has_no_rhythm() -> None:
    rhythm, last = learned(2, 20, 5)

    assert rhythm.silent_at(last, None, WIDTH, score=4) is None
    assert rhythm.expect(last + WIDTH) == 0


def test_the_hour_of_the_day_is_known_after_some_days() -> None:
    rhythm, _ = learned(6, 20, 2)
    noon, night = NOON + 6 * 86_400, NOON + 6 * 86_400 - 9 * 3600

    assert rhythm.expect(noon) == pytest.approx(20, rel=0.3)
    assert rhythm.expect(night) < 8


def test_an_outage_is_no_habit_and_what_comes_again_and_again_is() -> None:
    rhythm, back = learned(5, 20, 2)
    waited = []
    for _ in range(4):
        found = rhythm.silent_at(back, None, WIDTH, score=4)
        assert found is not None
        waited.append((found[0] - back) / 3600)
        back += 6 * 3600
        rhythm.learn_one(back, WIDTH, 20)

    assert waited[1] < 2 and waited[3] > 6


def test_silence_scores_by_what_is_missing() -> None:
    scores = [silence_score(expected) for expected in (0.0, 10.0, 100.0, 1000.0)]

    assert scores == sorted(scores) and scores[0] == 0


def test_years_of_silence_cost_nothing_and_the_state_is_small() -> None:
    rhythm, last = learned(4, 20, 5)
    rhythm.learn_one(last + 3 * 365 * 86_400, WIDTH, 20)

    assert rhythm.expect(last + 3 * 365 * 86_400 + WIDTH) == 0
    assert len(msgspec.msgpack.encode(rhythm)) < 800
