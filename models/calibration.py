"""Probabilities that mean what they say: temperature scaling, its error, and when to abstain."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_COARSE: Final = np.exp(np.linspace(np.log(0.2), np.log(5.0), 65))
_STEPS: Final = 30


def softmax(logits: Floats, temperature: float = 1.0) -> Floats:
    """exp(z / T) / sum exp(z / T) over the last axis."""
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def sigmoid(logits: Floats, temperature: float = 1.0) -> Floats:
    """1 / (1 + exp(-z / T)), without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(logits / temperature / 2)))


def fit_softmax_temperature(logits: Floats, truth: NDArray[np.int64]) -> float:
    """The T > 0 of least negative log-likelihood of `truth`; (rows, classes), (rows,).

    One T for a head keeps the order of its labels, so no answer changes, only how sure it is.
    Source: Guo et al. 2017, On Calibration of Modern Neural Networks, section 4.2.
    """
    rows = np.arange(len(truth))

    def loss(temperature: float) -> float:
        return -float(np.log(softmax(logits, temperature)[rows, truth] + 1e-12).mean())

    return _least(loss)


def fit_sigmoid_temperature(logits: Floats, truth: NDArray[np.bool_]) -> float:
    """The same for labels that hold or not, each by itself; both arrays have one shape."""
    signed = np.where(truth, logits, -logits)

    def loss(temperature: float) -> float:
        return float(np.logaddexp(0, -signed / temperature).mean())

    return _least(loss)


def expected_calibration_error(
    confidence: Floats, right: NDArray[np.bool_], bins: int = 15
) -> float:
    """ECE = sum_b |b| / n x |accuracy(b) - mean confidence(b)|, bins of equal mass.

    Args:
        confidence: probability given to each answer, (n,).
        right: whether the answer was right, (n,).
        bins: number of bins; rows are sorted by confidence and cut into as equal parts as can be.
    """
    order = np.argsort(confidence, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    gaps = [abs(right[part].mean() - confidence[part].mean()) * len(part) for part in parts]
    return float(sum(gaps) / len(confidence))


def abstention_threshold(confidence: Floats, right: NDArray[np.bool_], accuracy: float) -> float:
    """The least confidence t such that answers with confidence >= t reach `accuracy` together.

    0 if all answers together reach it; just above the highest confidence if nothing does.
    """
    order = np.argsort(-confidence, kind="stable")
    kept = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    ends = np.append(confidence[order][1:] != confidence[order][:-1], True)  # ties stay together
    enough = np.flatnonzero((kept >= accuracy) & ends)
    if not len(enough):
        return float(np.nextafter(confidence.max(), np.inf))
    last = int(enough[-1])
    return 0.0 if last == len(order) - 1 else float(confidence[order][last])


def _least(loss: Callable[[float], float]) -> float:
    """Minimises over T: a coarse look, then golden-section search between its neighbours."""
    best = int(np.argmin([loss(float(temperature)) for temperature in _COARSE]))
    low = float(_COARSE[max(0, best - 1)])
    high = float(_COARSE[min(len(_COARSE) - 1, best + 1)])
    ratio = (np.sqrt(5) - 1) / 2
    for _ in range(_STEPS):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return float((low + high) / 2)
