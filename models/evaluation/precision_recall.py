"""Precision against recall over all thresholds."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.calibration import Floats
from models.evaluation.risk import Curve


class PrecisionRecall(msgspec.Struct, frozen=True):
    """The curve of one label (x recall, y precision), its area, and the label's own share."""

    curve: Curve
    average_precision: float
    share: float


def precision_recall(probability: Floats, held: NDArray[np.bool_]) -> PrecisionRecall | None:
    """Curve and average precision of one label, (rows,) each; None where it never holds.

    AP = sum_n (R_n - R_{n-1}) P_n over thresholds from the highest down; equally likely rows pass
    a threshold together. A label guessed at random has an AP of its share.

    >>> found = precision_recall(np.array([0.9, 0.8, 0.3]), np.array([True, False, True]))
    >>> found and round(found.average_precision, 4)  # 1/2 x 1 + 1/2 x 2/3
    0.8333
    """
    if not held.any():
        return None
    order = np.argsort(-probability, kind="stable")
    ends = np.append(probability[order][1:] != probability[order][:-1], True)
    found = np.cumsum(held[order])
    precision = (found / np.arange(1, len(order) + 1))[ends]
    recall = (found / held.sum())[ends]
    area = float((np.diff(recall, prepend=0.0) * precision).sum())
    return PrecisionRecall(_thinned(recall, precision), area, float(held.mean()))


def _thinned(recall: Floats, precision: Floats, count: int = 60) -> Curve:
    """The points nearest to evenly spread recalls."""
    wanted = np.linspace(recall[0], recall[-1], count)
    chosen = np.unique(np.searchsorted(recall, wanted))
    return Curve(recall[chosen].tolist(), precision[chosen].tolist())
