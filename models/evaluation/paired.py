"""Paired tests: is one reader of the same rows better than another?"""

from collections.abc import Mapping

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import stats

from models.evaluation.intervals import RESAMPLES, Figure, TruthFigure, interval

Classes = NDArray[np.int64]
_AT_ONCE = 50


class Comparison(msgspec.Struct, frozen=True):
    """One reader against another on the same rows.

    Attributes:
        rows: how many.
        wins: rows that only the first reads right.
        losses: rows that only the second reads right.
        p_mcnemar: exact, two-sided, on wins and losses; a matter of accuracy alone.
        differences: first minus second by figure, with paired bootstrap intervals.
        p_permutation: by figure, two-sided.
    """

    rows: int
    wins: int
    losses: int
    p_mcnemar: float
    differences: dict[str, Figure]
    p_permutation: dict[str, float]


def compare(
    truth: Classes, first: Classes, second: Classes, figures: Mapping[str, TruthFigure], seed: int
) -> Comparison:
    """All that is known about a difference; (rows,) each."""
    right, rival_right = first == truth, second == truth
    wins, losses = count_wins(right, rival_right)
    return Comparison(
        rows=len(truth),
        wins=wins,
        losses=losses,
        p_mcnemar=mcnemar(right, rival_right),
        differences={
            name: difference(truth, first, second, figure, seed) for name, figure in figures.items()
        },
        p_permutation={
            name: permutation_test(truth, first, second, figure, seed)
            for name, figure in figures.items()
        },
    )


def count_wins(right: NDArray[np.bool_], rival_right: NDArray[np.bool_]) -> tuple[int, int]:
    """Rows that only the first, and that only the second reads right."""
    return int((right & ~rival_right).sum()), int((~right & rival_right).sum())


def mcnemar(right: NDArray[np.bool_], rival_right: NDArray[np.bool_]) -> float:
    """Exact two-sided McNemar test: chance of so uneven a split of the rows that differ.

    Under the null hypothesis each differing row is a fair coin. Source: McNemar 1947, in its exact
    binomial form.
    """
    wins, losses = count_wins(right, rival_right)
    if not wins + losses:
        return 1.0
    return float(stats.binomtest(wins, wins + losses, 0.5).pvalue)


def difference(
    truth: Classes, first: Classes, second: Classes, figure: TruthFigure, seed: int
) -> Figure:
    """figure(first) - figure(second) with its paired bootstrap interval."""
    return interval(
        lambda rows: figure(truth[rows], first[rows]) - figure(truth[rows], second[rows]),
        len(truth),
        seed,
    )


def permutation_test(
    truth: Classes,
    first: Classes,
    second: Classes,
    figure: TruthFigure,
    seed: int,
    *,
    resamples: int = RESAMPLES,
) -> float:
    """Two-sided p of figure(first) - figure(second) when answers are swapped row by row.

    If neither reader were better, who gave which answer would not matter. p is at least
    1 / (resamples + 1), so that it is never too small. Source: Yeh 2000, More accurate tests for
    the statistical significance of result differences.
    """
    if len(truth) < 2 or np.array_equal(first, second):
        return 1.0
    tested = stats.permutation_test(
        (first, second),
        lambda one, other: figure(truth, one) - figure(truth, other),
        permutation_type="samples",
        n_resamples=resamples,
        batch=_AT_ONCE,
        vectorized=False,
        rng=np.random.default_rng(seed),
    )
    return float(tested.pvalue)
