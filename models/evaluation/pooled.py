"""Pooled cross-validation: every row is read by a head that was fitted without it."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.calibration import Floats

Rows = NDArray[np.int64]
# From rows to fit on and rows to read: probabilities of the latter, (rows, classes).
FitPredict = Callable[[Rows, Rows], Floats]


def stratified_folds(
    truth: NDArray[np.int64], groups: Sequence[str], folds: int, seed: int
) -> Rows:
    """The fold of each row, (rows,): even shares of each class, and no group cut in two.

    Rows of one group (such as reposts of one text) are copies of each other: split between folds
    they would let a head read what it was fitted on.

    Raises:
        ValueError: fewer groups than folds.
    """
    names, group_of = np.unique(np.asarray(groups), return_inverse=True)
    if len(names) < folds:
        raise ValueError(f"{len(names)} different rows cannot make {folds} folds; give more rows")
    first = np.full(len(names), -1)
    first[group_of[::-1]] = truth[::-1]  # a group goes with the class of its first row
    rng = np.random.default_rng(seed)
    shuffled = rng.permutation(len(names))
    by_class = shuffled[np.argsort(first[shuffled], kind="stable")]
    fold_of = np.empty(len(names), dtype=np.int64)
    fold_of[by_class] = np.arange(len(names)) % folds
    return fold_of[group_of]


def pooled_predictions(
    fit_predict: FitPredict,
    folds: Rows,
    kept: Path | None = None,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Floats:
    """Probabilities of all rows, (rows, classes), each by a head fitted on the other folds.

    The rows share most of what the heads were fitted on, so they are not quite independent: a p
    value of a test over them is approximate (Dietterich 1998), and says nothing of another
    encoder or another training.

    Args:
        fit_predict: fits on the first rows and reads the second; must not look at other labels.
        folds: fold of each row, (rows,), from 0.
        kept: folder where each fold's answers are kept for a run that was killed; its name must
            change with data, checkpoint and head.
        report: called with folds done and in all.
    """
    total = int(folds.max()) + 1
    parts: dict[int, Floats] = {}
    for fold in range(total):
        report(fold, total)
        fitted, read = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        parts[fold] = _once(kept, f"fold-{fold}", partial(fit_predict, fitted, read))
    report(total, total)
    probabilities = np.empty((len(folds), parts[0].shape[1]))
    for fold, part in parts.items():
        probabilities[folds == fold] = part
    return probabilities


def _once(folder: Path | None, name: str, compute: Callable[[], Floats]) -> Floats:
    """What was computed before under this name, or now."""
    if folder is None:
        return compute()
    file = folder / f"{name}.npy"
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f"{name}.partial.npy"
        np.save(partial, compute())
        partial.replace(file)
    return np.asarray(np.load(file), dtype=np.float64)
