"""What abstention brings: the risk of the answers that are kept, against how many are kept."""

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.calibration import Floats, abstention_threshold
from models.evaluation.intervals import Figure, interval
from models.evaluation.scaling import halves

Right = NDArray[np.bool_]


class Curve(msgspec.Struct, frozen=True):
    """Points of a curve."""

    x: list[float]
    y: list[float]


class Selection(msgspec.Struct, frozen=True):
    """Abstention of a task.

    Attributes:
        curve: coverage (share of answers kept, surest first) against risk (share wrong of these).
        aurc: area under it; 0 is perfect, the risk of all answers is what random order gives.
        excess_aurc: `aurc` minus what the best possible order of these answers would have.
        risk_wanted: that the threshold was chosen for.
        risk_reached: with thresholds chosen on one half of the rows and used on the other.
        coverage: share of rows kept that way.
    """

    curve: Curve
    aurc: Figure
    excess_aurc: float
    risk_wanted: float
    risk_reached: Figure
    coverage: Figure


class Points(NamedTuple):
    """A risk–coverage curve, (points,) each, by growing coverage."""

    coverage: Floats
    risk: Floats


def selection(confidence: Floats, right: Right, risk_wanted: float, seed: int) -> Selection:
    """Risk–coverage figures of answers, (rows,) each."""
    kept = kept_for_risk(confidence, right, risk_wanted, seed)
    return Selection(
        curve=_thinned(risk_coverage(confidence, right)),
        aurc=interval(lambda rows: aurc(confidence[rows], right[rows]), len(right), seed),
        excess_aurc=aurc(confidence, right) - aurc(right.astype(float), right),
        risk_wanted=risk_wanted,
        risk_reached=interval(lambda rows: _risk_of_kept(kept[rows], right[rows]), len(kept), seed),
        coverage=interval(lambda rows: float(kept[rows].mean()), len(kept), seed),
    )


def risk_coverage(confidence: Floats, right: Right) -> Points:
    """Risk of the surest answers, for each coverage that a threshold can reach.

    Equally sure answers are kept or dropped together. Source: El-Yaniv and Wiener 2010, Geifman
    and El-Yaniv 2017.

    >>> risk_coverage(np.array([0.9, 0.8, 0.8, 0.6]), np.array([True, True, False, True])).risk
    array([0.        , 0.33333333, 0.25      ])
    """
    order = np.argsort(-confidence, kind="stable")
    counts = np.arange(1, len(order) + 1)
    risks = np.cumsum(~right[order]) / counts
    ends = np.append(confidence[order][1:] != confidence[order][:-1], True)
    return Points(counts[ends] / len(order), risks[ends])


def aurc(confidence: Floats, right: Right) -> float:
    """Area under the risk–coverage curve, as steps: the mean risk over kept answers."""
    coverage, risk = risk_coverage(confidence, right)
    return float((risk * np.diff(coverage, prepend=0.0)).sum())


def kept_for_risk(confidence: Floats, right: Right, risk: float, seed: int) -> Right:
    """Which rows a threshold for that risk keeps, each half by the other half's threshold."""
    kept = np.zeros(len(right), dtype=np.bool_)
    for fitted, judged in halves(len(right), seed):
        threshold = abstention_threshold(confidence[fitted], right[fitted], 1 - risk)
        kept[judged] = confidence[judged] >= threshold
    return kept


def _risk_of_kept(kept: Right, right: Right) -> float:
    return float((kept & ~right).sum() / max(1, kept.sum()))


def _thinned(points: Points, count: int = 60) -> Curve:
    """At most so many points, the last among them."""
    chosen = np.unique(np.linspace(0, len(points.risk) - 1, count).round().astype(int))
    return Curve(points.coverage[chosen].tolist(), points.risk[chosen].tolist())
