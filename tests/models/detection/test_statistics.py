import math
import random

import pytest

from models.detection.statistics import (
    Moment,
    count_tail,
    micro,
    normal_tail,
    share_estimate,
    share_tail,
    surprise,
)
from schemas.records import Estimate


def a_moment(*values: float) -> Moment:
    moment = Moment()
    for value in values:
        moment.learn_one(micro(value))
    return moment


def test_interval_of_a_mean_is_students_where_values_are_many_and_even() -> None:
    moment = a_moment(*[0.1, 0.2, 0.3] * 200)
    estimate = moment.estimate(600, -1, 1)
    # s = 0.08165, over √599: 0.003336, and 1.9981 standard errors at 57 degrees of freedom or so
    half = 2.0 * 0.003336

    assert estimate.mean == 0.2
    assert estimate.low == pytest.approx(0.2 - half, abs=2e-4)
    assert estimate.high == pytest.approx(0.2 + half, abs=2e-4)


def test_a_mean_of_skewed_values_reaches_further_to_the_long_side() -> None:
    estimate = a_moment(*[0.02] * 19, 0.9).estimate(20, 0, 1)

    assert 0 < estimate.low < estimate.mean
    assert estimate.high - estimate.mean > 2 * (estimate.mean - estimate.low)


def test_fewer_independent_voices_make_a_wider_interval() -> None:
    moment = a_moment(*[0.1, 0.5, -0.3] * 20)
    wide, narrow = moment.estimate(10, -1, 1), moment.estimate(60, -1, 1)

    assert wide.low < narrow.low < narrow.high < wide.high


def test_one_value_says_nothing_of_the_spread() -> None:
    assert a_moment(0.4).estimate(1, -1, 1) == Estimate(0.4, -1, 1)
    assert a_moment().estimate(0, 0, 1) == Estimate(0, 0, 1)


def test_interval_stays_inside_what_the_quantity_can_be() -> None:
    estimate = a_moment(0.99, 0.5).estimate(2, -1, 1)

    assert -1 <= estimate.low < 0.5 and 0.99 < estimate.high <= 1


def test_moments_merge_to_the_same_sums_in_any_order() -> None:
    rng = random.Random(5)
    values = [rng.uniform(-1, 1) for _ in range(100)]
    left, right = a_moment(*values[60:]), a_moment(*values[:60])
    left.merge(right)

    assert left == a_moment(*values)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"), [(0, 10, 0.0, 0.277533), (10, 10, 0.722467, 1.0)]
)
def test_wilson_interval_at_the_ends(hits: int, n: int, low: float, high: float) -> None:
    estimate = share_estimate(hits, n, worth=n)

    assert estimate.low == pytest.approx(low)
    assert estimate.high == pytest.approx(high)


def test_share_of_nothing_may_be_anything() -> None:
    assert share_estimate(0, 0, 0) == Estimate(0, 0, 1)


def test_poisson_tail_by_hand() -> None:
    # P(X ≥ 2) = 1 - e⁻¹ (1 + 1)
    assert count_tail(2, 1.0, 1.0) == pytest.approx(1 - 2 * math.exp(-1))


def test_negative_binomial_tail_by_hand() -> None:
    # mean 1, variance 2: size 1, q = 1/2, geometric: P(X ≥ k) = 2⁻ᵏ
    assert count_tail(5, 1.0, 2.0) == pytest.approx(2**-5)
    assert count_tail(0, 1.0, 2.0) == 1


def test_binomial_and_normal_tails_by_hand() -> None:
    assert share_tail(1, 2, 0.5) == pytest.approx(0.75)
    assert share_tail(0, 9, 0.1) == 1
    assert normal_tail(1.959964) == pytest.approx(0.025, abs=1e-6)


def test_surprise_is_bounded_and_points_up() -> None:
    assert surprise(1e-3) == 3
    assert surprise(1.0) == 0
    assert surprise(0.0) == 50
