import random

import pytest

from models.detection.levels import LEAST_DEVIATION, FadingLevel


def learned(values: list[float], error: float = 0.0, memory: float = 48) -> FadingLevel:
    level = FadingLevel()
    for value in values:
        level.learn_one(value, error, memory)
    return level


def test_a_level_is_the_mean_of_what_was_learned_and_then_fades() -> None:
    assert learned([0.1, 0.2, 0.3]).mean == pytest.approx(0.2)
    assert learned([0.1] * 100 + [0.3] * 100).mean == pytest.approx(0.3, abs=0.03)


def test_an_incident_barely_moves_a_level() -> None:
    rng = random.Random(1)
    calm = [rng.gauss(0.2, 0.05) for _ in range(100)]

    assert learned([*calm, 0.9, 0.9]).mean < learned(calm).mean + 0.02


def test_scatter_by_chance_is_no_movement_of_the_level() -> None:
    rng = random.Random(2)
    values = [rng.gauss(0.2, 0.2) for _ in range(300)]

    assert learned(values, error=0.2, memory=100).scatter() < 0.02
    assert learned(values, error=0.0, memory=100).scatter() == pytest.approx(0.04, abs=0.015)
    assert learned([0.2] * 50).scatter() == LEAST_DEVIATION**2


def test_the_less_is_known_the_less_a_value_departs() -> None:
    few, many = learned([0.2] * 2), learned([0.2] * 40)

    assert 0 < few.deviations(0.4, 0.05) < many.deviations(0.4, 0.05)
