import msgspec
import pytest

from models.detection.baselines import (
    CAPACITY,
    CountBaseline,
    Departure,
    LevelBaseline,
    ShareBaseline,
)


def counted(*counts: int) -> CountBaseline:
    baseline = CountBaseline()
    for count in counts:
        baseline.learn_one(count)
    return baseline


def test_an_incident_barely_moves_what_is_usual() -> None:
    calm, stormy = counted(*[10, 11, 9] * 10), counted(*[10, 11, 9] * 10, *[300] * 6)

    assert calm.score_one(30).expected == pytest.approx(10, abs=0.1)
    assert stormy.score_one(30).expected < 15


def test_the_more_the_more_surprising_and_few_are_not() -> None:
    baseline = counted(*[10, 11, 9] * 10)
    scores = [baseline.score_one(count).score for count in (0, 10, 20, 40, 400)]

    assert scores == sorted(scores)
    assert scores[0] == 0 and scores[1] < 0.5 and scores[3] > 6


def test_a_departure_is_the_same_once_it_has_been_stored() -> None:
    found = counted(10, 11, 9).score_one(30)

    stored = msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=Departure)
    assert msgspec.json.encode(stored) == msgspec.json.encode(found)


def test_overlapping_windows_teach_less() -> None:
    baseline = counted(*[10] * 12)

    assert baseline.score_one(25, overlap=5).score < baseline.score_one(25).score


def test_years_of_silence_are_learned_at_once() -> None:
    baseline = counted(*[10] * 30)
    baseline.learn_empty(10**9)

    assert baseline.counts == [0] * CAPACITY


def test_share_is_usual_until_it_passes_the_margin() -> None:
    baseline = ShareBaseline()
    for _ in range(30):
        baseline.learn_one(1, 10)

    assert baseline.share == pytest.approx(0.1, abs=0.01)
    assert baseline.score_one(2, 10, margin=0.1).score < 1
    assert baseline.score_one(9, 10, margin=0.1).score > 4


def test_a_storm_weighs_no_more_than_two_usual_windows() -> None:
    baseline = ShareBaseline()
    for _ in range(20):
        baseline.learn_one(1, 10)
    baseline.learn_one(1000, 1000)

    assert baseline.share < 0.2


def test_level_scores_only_downwards() -> None:
    baseline = LevelBaseline()
    for level in (0.2, 0.25, 0.3) * 5:
        baseline.learn_one(level, 0.0)

    assert baseline.score_one(-0.5, error=0.1, margin=0.1).score > 3
    assert baseline.score_one(0.9, error=0.1, margin=0.1).score < 0.1


def test_level_takes_scatter_by_chance_for_no_movement() -> None:
    certain, by_chance = LevelBaseline(), LevelBaseline()
    for level in (0.2, 0.5, 0.8) * 5:
        certain.learn_one(level, 0.0)
        by_chance.learn_one(level, 0.44)

    assert by_chance.score_one(0.1, 0.05, margin=0.1).score > 3
    assert certain.score_one(0.1, 0.05, margin=0.1).score < 1
