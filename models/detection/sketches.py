"""Distinct counts in a few hundred bytes that do not depend on the order of arrival."""

from __future__ import annotations

import datasketches

# Relative error about 0.69 / √2¹¹ = 1.5 %; below a few dozen items the count is exact after
# rounding. At most about 1.3 KB.
LOG2_ROWS = 11


class DistinctSketch:
    """How many different strings were learned: a CPC sketch (Lang 2017) read by its ICON estimator.

    The usual estimator of HLL and CPC sketches (HIP) depends on the order of updates. A union's
    result is read by ICON, a function of the set of coupons alone, so every order of updates and
    merges gives the same estimate and the same bytes. That is why each reading goes through one,
    unless nothing was learned since the last.

    >>> sketch = DistinctSketch()
    >>> for name in ("ann", "bo", "ann"):
    ...     sketch.learn_one(name)
    >>> sketch.count
    2
    """

    __slots__ = ("_is_union", "_sketch")

    def __init__(self) -> None:
        self._sketch = datasketches.cpc_sketch(LOG2_ROWS)
        self._is_union = False

    def learn_one(self, item: str) -> None:
        """Count `item` unless it was counted before."""
        self._sketch.update(item)
        self._is_union = False

    def merge(self, other: DistinctSketch) -> None:
        """Count everything that `other` counted."""
        self._sketch, self._is_union = _union(self._sketch, other._sketch), True

    @property
    def count(self) -> int:
        """Number of different items, estimated."""
        return round(float(self._canonical().get_estimate()))

    def to_bytes(self) -> bytes:
        """Canonical bytes: equal sets of items give equal bytes."""
        return bytes(self._canonical().serialize())

    @classmethod
    def from_bytes(cls, data: bytes) -> DistinctSketch:
        """The sketch that `to_bytes` wrote."""
        sketch = cls()
        sketch._sketch, sketch._is_union = datasketches.cpc_sketch.deserialize(data), True
        return sketch

    def _canonical(self) -> datasketches.cpc_sketch:
        if not self._is_union:
            self._sketch, self._is_union = _union(self._sketch), True
        return self._sketch


def _union(*sketches: datasketches.cpc_sketch) -> datasketches.cpc_sketch:
    union = datasketches.cpc_union(LOG2_ROWS)
    for sketch in sketches:
        union.update(sketch)
    return union.get_result()
