"""How well probabilities keep their word."""

from enum import StrEnum
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.calibration import Floats, expected_calibration_error
from models.evaluation.intervals import Figure, interval

Truth = NDArray[Any]  # classes (rows,), or whether labels hold, (rows,) or (rows, labels)
_SIMULATIONS = 200
_BINS = 15
_SMALLEST = 1e-7


class Kind(StrEnum):
    """What an answer is: one of several classes, yes or no, or any number of labels."""

    ONE_OF = "one of"
    YES_NO = "yes or no"
    SEVERAL = "several"


class ScaledFigures(msgspec.Struct, frozen=True):
    """Calibration of one way to scale.

    Attributes:
        ece: expected calibration error, 15 bins of equal mass, of the answer given; of all labels
            together where several may hold.
        ece_by_class: the mean of each class's own ECE (Kull et al. 2019).
        brier: mean squared distance to the truth; summed over classes, [0, 2], for one of several.
        nll: mean negative log-likelihood, nats.
    """

    ece: Figure
    ece_by_class: float
    brier: float
    nll: float


def scaled_figures(
    probabilities: Floats, truth: Truth, kind: Kind, seed: int, resamples: int
) -> ScaledFigures:
    """Figures of probabilities; shapes as in `confidence_of`."""
    return ScaledFigures(
        ece=ece_interval(probabilities, truth, kind, seed, resamples),
        ece_by_class=ece_by_class(probabilities, truth, kind),
        brier=brier(probabilities, truth, kind),
        nll=negative_log_likelihood(probabilities, truth, kind),
    )


def confidence_of(
    probabilities: Floats, truth: Truth, kind: Kind
) -> tuple[Floats, NDArray[np.bool_]]:
    """How sure each answer is and whether it is right, (answers,) each.

    Args:
        probabilities: (rows, classes) for one of several, (rows,) for yes or no, (rows, labels).
        truth: classes (rows,), or whether it holds, in the shape of `probabilities`.
        kind: what an answer is; where several labels may hold, each label of a row is an answer,
            and its probability is how sure it is.
    """
    if kind is Kind.SEVERAL:
        return probabilities.ravel(), truth.ravel().astype(np.bool_)
    if kind is Kind.YES_NO:
        right = (probabilities >= 0.5) == truth.astype(np.bool_)
        return np.maximum(probabilities, 1 - probabilities), right
    return probabilities.max(axis=1), probabilities.argmax(axis=1) == truth


def ece(probabilities: Floats, truth: Truth, kind: Kind) -> float:
    """Expected calibration error of the answers, 15 bins of equal mass."""
    return expected_calibration_error(*confidence_of(probabilities, truth, kind), _BINS)


def ece_interval(
    probabilities: Floats, truth: Truth, kind: Kind, seed: int, resamples: int
) -> Figure:
    """The calibration error with the spread of its draws around it, never below 0."""
    found = interval(
        lambda rows: ece(probabilities[rows], truth[rows], kind),
        len(truth),
        seed,
        resamples,
        centred=True,
    )
    return Figure(found.value, max(0.0, found.low), found.high)


def ece_if_calibrated(probabilities: Floats, kind: Kind, seed: int) -> float:
    """What the ECE of perfect probabilities stays below in 19 of 20 samples of this size.

    The truth is drawn from the probabilities themselves. A measured ECE below it gives no reason
    to doubt them; above it, they are wrong by more than chance. Source: the consistency resampling
    of Bröcker and Smith 2007.
    """
    rng = np.random.default_rng(seed)
    drawn = [ece(probabilities, _draw(probabilities, kind, rng), kind) for _ in range(_SIMULATIONS)]
    return float(np.quantile(drawn, 0.95))


def ece_by_class(probabilities: Floats, truth: Truth, kind: Kind) -> float:
    """Mean over classes of the ECE of that class's probability."""
    table, held = _as_labels(probabilities, truth, kind)
    errors = [
        expected_calibration_error(column, column_held, _BINS)
        for column, column_held in zip(table.T, held.T, strict=True)
    ]
    return float(np.mean(errors))


def brier(probabilities: Floats, truth: Truth, kind: Kind) -> float:
    """Mean squared distance of probability and truth. Source: Brier 1950.

    >>> brier(np.array([[0.5, 0.3, 0.2]]), np.array([0]), Kind.ONE_OF)  # 0.25 + 0.09 + 0.04
    0.38
    """
    table, held = _as_labels(probabilities, truth, kind)
    squares = np.square(table - held)
    return float(squares.sum(axis=1).mean() if kind is Kind.ONE_OF else squares.mean())


def negative_log_likelihood(probabilities: Floats, truth: Truth, kind: Kind) -> float:
    """Mean of -log P(what is true), nats; over labels too where several may hold."""
    if kind is Kind.ONE_OF:
        given = probabilities[np.arange(len(truth)), truth]
    else:
        given = np.where(truth.astype(np.bool_), probabilities, 1 - probabilities)
    return float(-np.log(np.maximum(given, _SMALLEST)).mean())


def reliability(probabilities: Floats, truth: Truth, kind: Kind) -> tuple[list[float], list[float]]:
    """Mean confidence and share of right answers of each bin of equal mass."""
    confidence, right = confidence_of(probabilities, truth, kind)
    order = np.argsort(confidence, kind="stable")
    parts = [part for part in np.array_split(order, _BINS) if len(part)]
    return (
        [float(confidence[part].mean()) for part in parts],
        [float(right[part].mean()) for part in parts],
    )


def _as_labels(probabilities: Floats, truth: Truth, kind: Kind) -> tuple[Floats, NDArray[np.bool_]]:
    """(rows, labels) twice: probabilities, and whether each label holds."""
    if kind is Kind.ONE_OF:
        return probabilities, np.eye(probabilities.shape[1], dtype=np.bool_)[truth]
    rows = len(truth)
    return probabilities.reshape(rows, -1), truth.reshape(rows, -1).astype(np.bool_)


def _draw(probabilities: Floats, kind: Kind, rng: np.random.Generator) -> Truth:
    if kind is not Kind.ONE_OF:
        return np.asarray(rng.random(probabilities.shape) < probabilities)
    passed = probabilities.cumsum(axis=1) < rng.random((len(probabilities), 1))
    return np.asarray(np.minimum(passed.sum(axis=1), probabilities.shape[1] - 1))
