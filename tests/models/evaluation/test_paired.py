from itertools import product

import numpy as np
import pytest
from scipy import stats

from models.evaluation.paired import compare, difference, mcnemar, permutation_test
from models.training.figures import accuracy


def test_mcnemar_by_hand() -> None:
    # 8 wins, 1 loss: 2 x (1 + 9) / 2^9 = 0.0390625
    right = np.array([True] * 8 + [False] + [True] * 20)
    rival = np.array([False] * 8 + [True] + [True] * 20)

    assert mcnemar(right, rival) == pytest.approx(0.0390625)
    assert mcnemar(right, right) == 1.0


def test_mcnemar_comes_near_its_chi_square_where_many_rows_differ() -> None:
    right = np.repeat([True, False, True], [260, 200, 1000])
    rival = np.repeat([False, True, True], [260, 200, 1000])

    # With the correction for continuity: (|260 - 200| - 1)^2 / 460, one degree of freedom
    assert mcnemar(right, rival) == pytest.approx(stats.chi2.sf(59**2 / 460, 1), rel=0.02)


def test_permutation_test_counts_swaps() -> None:
    truth = np.zeros(6, dtype=np.int64)
    first, second = np.array([0, 0, 0, 0, 1, 0]), np.array([1, 1, 1, 1, 0, 0])
    # Five rows differ, 4 won: of the 2^5 signs these have a difference of 3 or more either way.
    as_far = sum(abs(sum(signs)) >= 3 for signs in product((-1, 1), repeat=5)) / 2**5

    # At most 2^6 swaps exist, fewer than the draws allowed: scipy takes each once, exactly.
    p = permutation_test(truth, first, second, accuracy, seed=0)

    assert p == pytest.approx(as_far)


def test_p_values_are_even_where_readers_are_equally_good() -> None:
    rng = np.random.default_rng(0)
    truth = np.zeros(150, dtype=np.int64)
    readers = (rng.random((60, 2, 150)) < 0.3).astype(np.int64)

    p = [permutation_test(truth, a, b, accuracy, seed=1, resamples=99) for a, b in readers]

    assert np.mean(np.array(p) <= 0.05) <= 0.15
    assert 0.35 <= np.mean(p) <= 0.75


def test_a_better_reader_is_told_from_a_worse_one() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 600)
    good = np.where(rng.random(600) < 0.8, truth, (truth + 1) % 3)
    poor = np.where(rng.random(600) < 0.6, truth, (truth + 1) % 3)

    found = compare(truth, good, poor, {"accuracy": accuracy}, seed=0)

    assert found.p_mcnemar < 1e-6 and found.p_permutation["accuracy"] < 0.005
    assert found.differences["accuracy"].low > 0
    assert found.wins - found.losses == round(600 * found.differences["accuracy"].value)


def test_a_paired_difference_is_surer_than_the_readers_themselves() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 500)
    first = np.where(rng.random(500) < 0.7, truth, 1 - truth)
    second = first.copy()
    second[:10] = 1 - truth[:10]

    found = difference(truth, first, second, accuracy, seed=0)

    assert found.high - found.low < 0.03  # either alone is known to about 0.08
