"""Bootstrap intervals of any figure over rows."""

from collections.abc import Callable
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import stats

Rows = NDArray[np.int64]
TruthFigure = Callable[[NDArray[Any], NDArray[Any]], float]  # of truth and what was decided
RESAMPLES: Final = 1000
LEVEL: Final = 0.95
_AT_ONCE: Final = 50  # resamples whose rows are held at a time


class Figure(msgspec.Struct, frozen=True):
    """A figure with the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def interval(
    figure: Callable[[Rows], float],
    rows: int,
    seed: int,
    resamples: int = RESAMPLES,
    *,
    centred: bool = False,
) -> Figure:
    """A figure of all rows with its percentile bootstrap interval.

    Rows are drawn with replacement, whole, so whatever `figure` compares stays paired by row. It
    says how much the figure would move with other posts of the same kind, not with other kinds.
    Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, section 13.3.

    Args:
        figure: from row numbers (with repeats) to the figure.
        rows: how many there are; fewer than two have no interval, so it is the value alone.
        seed: of the draws; the same seed draws the same rows for every figure of as many rows.
        resamples: how many draws.
        centred: shift the draws so that their mean is the value. For figures such as a calibration
            error, which grows by the mere repetition of rows, so that draws lie above the value.

    >>> ages = np.array([31.0, 35.0, 40.0, 52.0])
    >>> str(interval(lambda rows: ages[rows].mean(), 4, seed=0))
    '39.500 [33.000, 47.750]'
    """
    everything = np.arange(rows)
    value = float(figure(everything))
    if rows < 2:
        return Figure(value, value, value)
    found = stats.bootstrap(
        (everything,),
        figure,
        n_resamples=resamples,
        batch=_AT_ONCE,
        vectorized=False,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    drawn = found.bootstrap_distribution
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    shift = value - drawn.mean() if centred else 0.0
    return Figure(value, float(low + shift), float(high + shift))


def interval_of(
    figure: TruthFigure,
    truth: NDArray[Any],
    decided: NDArray[Any],
    seed: int,
    resamples: int = RESAMPLES,
) -> Figure:
    """The same for a figure of truth and decisions; both have one row a post."""
    return interval(lambda rows: figure(truth[rows], decided[rows]), len(truth), seed, resamples)


def mean_interval(values: NDArray[np.float64], seed: int) -> Figure:
    """The mean of values, (rows,), those that are NaN left out, with its interval."""
    known = values[np.isfinite(values)]
    return interval(lambda rows: float(known[rows].mean()), len(known), seed)
