"""Scaling of logits, fitted on one half of the rows and used on the other."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from models.calibration import (
    Floats,
    fit_sigmoid_temperature,
    fit_softmax_temperature,
    sigmoid,
    softmax,
)

Scaling = Callable[[Floats], Floats]  # logits to probabilities, same shape
Fit = Callable[[Floats, NDArray[Any]], Scaling]  # logits and truth to a scaling
_PENALTY = 1e-3  # keeps scales and biases of rare labels in bounds


def unscaled_softmax(logits: Floats, truth: NDArray[Any]) -> Scaling:
    """The logits as they are, (rows, classes)."""
    return softmax


def unscaled_sigmoid(logits: Floats, truth: NDArray[Any]) -> Scaling:
    """The logits as they are, each by itself."""
    return sigmoid


def softmax_temperature(logits: Floats, truth: NDArray[Any]) -> Scaling:
    """softmax(z / T), one T for all classes."""
    temperature = fit_softmax_temperature(logits, truth)
    return lambda others: softmax(others, temperature)


def sigmoid_temperature(logits: Floats, truth: NDArray[Any]) -> Scaling:
    """sigmoid(z / T), one T for all labels."""
    temperature = fit_sigmoid_temperature(logits, truth)
    return lambda others: sigmoid(others, temperature)


def softmax_vector(logits: Floats, truth: NDArray[Any]) -> Scaling:
    """softmax(w * z + b), a scale and a bias for each class; answers may change.

    Source: Guo et al. 2017, On Calibration of Modern Neural Networks, section 4.2.
    """
    classes = logits.shape[1]
    hot = np.eye(classes)[truth]

    def loss(weights: Floats) -> tuple[float, Floats]:
        scale, bias = weights[:classes], weights[classes:]
        found = softmax(logits * scale + bias)
        miss = (found - hot) / len(hot)
        fit = -float(np.log((found * hot).sum(axis=1) + 1e-12).mean())
        slopes = np.concatenate([(miss * logits).sum(axis=0), miss.sum(axis=0)])
        return fit + _penalty(weights, classes), slopes + _penalty_slopes(weights, classes)

    scale, bias = np.split(_least(loss, classes), 2)
    return lambda others: softmax(others * scale + bias)


def sigmoid_vector(logits: Floats, truth: NDArray[Any]) -> Scaling:
    """sigmoid(w_k z_k + b_k) for each label k: Platt's scaling; (rows,) or (rows, labels)."""
    table, held = logits.reshape(len(logits), -1), truth.reshape(len(truth), -1).astype(float)
    labels = table.shape[1]

    def loss(weights: Floats) -> tuple[float, Floats]:
        scale, bias = weights[:labels], weights[labels:]
        scaled = table * scale + bias
        miss = (sigmoid(scaled) - held) / len(held)
        fit = float((np.logaddexp(0, scaled) - held * scaled).mean(axis=0).sum())
        slopes = np.concatenate([(miss * table).sum(axis=0), miss.sum(axis=0)])
        return fit + _penalty(weights, labels), slopes + _penalty_slopes(weights, labels)

    scale, bias = np.split(_least(loss, labels), 2)
    return lambda others: sigmoid(others * scale + bias)


def cross_fitted(logits: Floats, truth: NDArray[Any], fit: Fit, seed: int) -> Floats:
    """Probabilities of all rows, each half scaled by what was fitted on the other half.

    The halves are drawn by `seed`, whatever the order of the rows. No row is judged by a scaling
    that has seen it, and yet every row is judged.
    """
    probabilities = np.empty_like(logits)
    for fitted, judged in halves(len(logits), seed):
        probabilities[judged] = fit(logits[fitted], truth[fitted])(logits[judged])
    return probabilities


def halves(rows: int, seed: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """(rows to fit on, rows to judge), and the other way round."""
    order = np.random.default_rng(seed).permutation(rows)
    one, other = np.sort(order[: rows // 2]), np.sort(order[rows // 2 :])
    return [(one, other), (other, one)]


def _penalty(weights: Floats, labels: int) -> float:
    start = np.repeat([1.0, 0.0], labels)
    return float(_PENALTY * np.square(weights - start).sum())


def _penalty_slopes(weights: Floats, labels: int) -> Floats:
    return np.asarray(2 * _PENALTY * (weights - np.repeat([1.0, 0.0], labels)))


def _least(loss: Callable[[Floats], tuple[float, Floats]], labels: int) -> Floats:
    """The weights of least loss, starting from scales of 1 and biases of 0."""
    start = np.repeat([1.0, 0.0], labels)
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B").x)
