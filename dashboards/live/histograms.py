"""Histograms that can be put down and taken up again, with the newest exemplar of each bucket."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping

import msgspec

from schemas.metrics import Metric

LONGEST_EXEMPLAR = 128  # characters of names and values together: OpenMetrics 1.0, "Exemplars"


class Observed(msgspec.Struct, frozen=True):
    """One observation that stands for its bucket: whose, how many seconds, when."""

    labels: dict[str, str]
    seconds: float
    at: float


class _Saved(msgspec.Struct, frozen=True):
    buckets: tuple[float, ...]
    counts: list[int]
    milliseconds: int


class Histogram:
    """Seconds in, how many fell into which bucket out; exemplars are not put down.

    >>> delays = Histogram(Metric("m_seconds", "histogram", "", buckets=(1.0, 60.0)))
    >>> for seconds in (0.2, 1.0, 61.0):
    ...     delays.observe(seconds, at=0.0, labels={})
    >>> delays.counts, delays.seconds
    ([2, 0, 1], 62.2)
    >>> taken_up(delays.metric, delays.as_text()).counts
    [2, 0, 1]
    """

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.counts = [0] * (len(metric.buckets) + 1)
        self.exemplars: dict[int, Observed] = {}
        self._milliseconds = 0

    @property
    def seconds(self) -> float:
        """Sum of all observations."""
        return self._milliseconds / 1000

    def observe(self, seconds: float, at: float, labels: Mapping[str, str]) -> None:
        """Count one; less than nothing, as by a clock that is ahead, counts as nothing."""
        seconds = max(seconds, 0.0)
        bucket = bisect_left(self.metric.buckets, seconds)
        self.counts[bucket] += 1
        self._milliseconds += round(seconds * 1000)
        if sum(len(name) + len(value) for name, value in labels.items()) <= LONGEST_EXEMPLAR:
            self.exemplars[bucket] = Observed(dict(labels), seconds, at)

    def add(self, other: Histogram) -> None:
        """Count what `other` counted."""
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        self._milliseconds += other._milliseconds
        for bucket, exemplar in other.exemplars.items():
            known = self.exemplars.get(bucket)
            if known is None or known.at < exemplar.at:
                self.exemplars[bucket] = exemplar

    def as_text(self) -> str:
        """What `taken_up` needs to go on: a few hundred characters."""
        saved = _Saved(self.metric.buckets, self.counts, self._milliseconds)
        return msgspec.json.encode(saved).decode()


def taken_up(metric: Metric, text: str) -> Histogram:
    """The histogram that was put down as `text`; an empty one where its buckets were others."""
    found = Histogram(metric)
    try:
        saved = msgspec.json.decode(text, type=_Saved)
    except msgspec.DecodeError:
        return found
    if saved.buckets == metric.buckets and len(saved.counts) == len(found.counts):
        found.counts, found._milliseconds = saved.counts, saved.milliseconds
    return found


def total(metric: Metric, parts: Iterable[Histogram]) -> Histogram:
    """All `parts` together."""
    whole = Histogram(metric)
    for part in parts:
        whole.add(part)
    return whole
