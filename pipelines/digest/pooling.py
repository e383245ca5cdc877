"""Means of a day or a week from those of its windows, with intervals by square-and-add.

The interval of a weighted mean, or of a difference, of independent estimates is found from their
own limits (Zou and Donner 2008, "Construction of confidence limits about effect measures", the
method of variance estimates recovery): the distances to the lower limits are squared, weighted and
added, and so are those to the upper ones. Windows that do not overlap are taken as independent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from schemas.records import Estimate


def pool(parts: Iterable[tuple[int, Estimate]]) -> Estimate | None:
    """The mean of estimates by their weights; None where nothing weighs anything.

    >>> pool([(1, Estimate(0.0, -0.3, 0.3)), (3, Estimate(0.4, 0.3, 0.5))])
    Estimate(mean=0.3, low=0.193934, high=0.406066)
    """
    found = [(weight, one) for weight, one in parts if weight > 0]
    total = sum(weight for weight, _ in found)
    if not total:
        return None
    mean = sum(weight * one.mean for weight, one in found) / total
    below = math.hypot(*(weight * (one.mean - one.low) for weight, one in found)) / total
    above = math.hypot(*(weight * (one.high - one.mean) for weight, one in found)) / total
    return _rounded(mean, below, above)


def change(now: Estimate, before: Estimate) -> Estimate:
    """`now` less `before`.

    >>> change(Estimate(0.1, 0.0, 0.2), Estimate(0.4, 0.4, 0.4))
    Estimate(mean=-0.3, low=-0.4, high=-0.2)
    """
    below = math.hypot(now.mean - now.low, before.high - before.mean)
    above = math.hypot(now.high - now.mean, before.mean - before.low)
    return _rounded(now.mean - before.mean, below, above)


def _rounded(mean: float, below: float, above: float) -> Estimate:
    return Estimate(round(mean, 6), round(mean - below, 6), round(mean + above, 6))
