"""Facts about what becomes of incidents: steps, budgets, and moods that come back."""

import numpy as np
import pytest

from models.detection.lifecycle import Aftermath, Budget, step_of
from schemas.records import AlertKind
from tests.builders import NOON
from tests.trends import DAY, WIDTH, a_trend, a_usual_trend

MARGIN = 0.10


def test_a_budget_is_of_a_day_and_counts_what_it_folds() -> None:
    budget = Budget()
    day = NOON // 86_400 * 86_400

    admitted = [budget.admit("volume_spike", day + n, 2) for n in range(4)]

    assert admitted == [True, True, False, False]
    assert budget.admit("volume_spike", day + 86_400, 2)
    assert (budget.take_folded(), budget.take_folded()) == (2, 0)


@pytest.mark.parametrize("kind", ["crisis", "image_led_crisis", "feed_silent"])
def test_what_may_be_grave_is_never_folded(kind: AlertKind) -> None:
    budget = Budget(day=NOON // 86_400, told=9)

    assert budget.admit(kind, NOON, 1)
    assert (budget.told, budget.folded) == (9, 0)


def test_without_a_budget_everything_is_told() -> None:
    budget = Budget()

    assert all(budget.admit("volume_spike", NOON, None) for _ in range(100))


def test_steps_are_those_of_a_warning_and_an_emergency() -> None:
    assert [step_of(severity) for severity in (1, 3, 4, 6, 7, 10)] == [0, 0, 1, 1, 2, 2]


def after(share: float, windows: int = DAY // 4, seed: int = 1) -> Aftermath:
    """An aftermath of a brand whose usual share is a tenth, after windows at another."""
    draw = np.random.default_rng(seed)
    aftermath = Aftermath(kind="crisis", closed=NOON, usual=0.10)
    for number in range(1, windows):
        if not aftermath.is_recovered:
            hits = int(draw.binomial(30, share))
            trend = a_usual_trend(number, draw, posts=30, negative_authors=hits)
            aftermath.learn_one(trend, MARGIN)
    return aftermath


@pytest.mark.parametrize("seed", range(5))
def test_a_mood_that_is_back_is_told_within_the_hour(seed: int) -> None:
    assert after(0.10, windows=13, seed=seed).is_recovered


@pytest.mark.parametrize("seed", range(5))
def test_a_mood_that_stays_bad_is_not_told(seed: int) -> None:
    assert not after(0.25, seed=seed).is_recovered


def test_windows_of_the_incident_itself_say_nothing() -> None:
    aftermath = Aftermath(kind="crisis", closed=NOON + WIDTH // 2, usual=0.10)
    aftermath.learn_one(a_trend(1), MARGIN)

    assert aftermath.people == 0
    assert aftermath.is_over(NOON + 2 * 86_400)
