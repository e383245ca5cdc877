"""Classification figures, by their textbook definitions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Labels = Sequence[int] | NDArray[np.int64]


def recalls(truth: Labels, predicted: Labels, classes: int) -> NDArray[np.float64]:
    """Share of each class that is found, (classes,)."""
    table = confusion(truth, predicted, classes)
    return np.asarray(np.diag(table) / np.maximum(table.sum(axis=1), 1))


def macro_recall(truth: Labels, predicted: Labels, classes: int) -> float:
    """Mean recall of the classes that occur; one that does not has no recall, rather than 0.

    >>> macro_recall([2, 2], [2, 2], 3)
    1.0
    """
    occurs = np.bincount(np.asarray(truth), minlength=classes) > 0
    return float(recalls(truth, predicted, classes)[occurs].mean())


def f1_scores(truth: Labels, predicted: Labels, classes: int) -> NDArray[np.float64]:
    """F1 of each class, 2 TP / (2 TP + FP + FN), (classes,)."""
    table = confusion(truth, predicted, classes)
    both = table.sum(axis=0) + table.sum(axis=1)
    return np.asarray(2 * np.diag(table) / np.maximum(both, 1))


def weighted_f1(truth: Labels, predicted: Labels, classes: int) -> float:
    """F1 averaged with the classes' true shares."""
    support = confusion(truth, predicted, classes).sum(axis=1)
    return float((f1_scores(truth, predicted, classes) * support).sum() / support.sum())


def accuracy(truth: Labels, predicted: Labels) -> float:
    """Share of right answers."""
    return float(np.mean(np.asarray(truth) == np.asarray(predicted)))


def confusion(truth: Labels, predicted: Labels, classes: int) -> NDArray[np.int64]:
    """Counts, (true class, predicted class)."""
    table = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(table, (np.asarray(truth), np.asarray(predicted)), 1)
    return table


def several_label_f1(truth: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """F1 of each label where several may hold; (rows, labels) twice -> (labels,)."""
    right = (truth & predicted).sum(axis=0)
    return np.asarray(2 * right / np.maximum(truth.sum(axis=0) + predicted.sum(axis=0), 1))
