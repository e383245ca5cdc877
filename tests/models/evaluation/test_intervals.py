import numpy as np
import pytest

from models.evaluation.intervals import Figure, interval, interval_of, mean_interval
from models.training.figures import accuracy


def test_interval_of_a_mean_is_about_two_standard_errors_wide() -> None:
    values = np.random.default_rng(0).normal(size=400)

    found = mean_interval(values, seed=0)

    assert found.value == pytest.approx(values.mean())
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * values.std() / 20, rel=0.1)


def test_interval_holds_the_true_value_about_19_times_of_20() -> None:
    rng = np.random.default_rng(1)
    right = rng.random((200, 120)) < 0.7  # 200 samples of 120 posts, true accuracy 0.7

    found = [
        interval_of(accuracy, np.ones(120), one, seed=2, resamples=200)
        for one in right.astype(float)
    ]

    assert 0.89 <= np.mean([one.low <= 0.7 <= one.high for one in found]) <= 0.99


def test_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    truth, read = np.arange(50) % 3, np.arange(50) % 2

    one = interval_of(accuracy, truth, read, seed=0)

    assert one == interval_of(accuracy, truth, read, seed=0)
    assert one != interval_of(accuracy, truth, read, seed=1)


def test_one_row_has_no_interval() -> None:
    assert interval(lambda rows: 0.5, 1, seed=0) == Figure(0.5, 0.5, 0.5)


def test_unknown_values_are_left_out_of_a_mean() -> None:
    assert mean_interval(np.array([1.0, np.nan, 3.0]), seed=0).value == 2.0
