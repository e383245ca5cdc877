"""Which offsets of which partitions a reader has still to read: one restriction for all of them.

Runners may take a stage's watermark from its latest bundle alone, so partitions that travelled
apart could make each other's records late. Held together they cannot.
"""

from __future__ import annotations

from collections.abc import Mapping
from zlib import crc32

import msgspec
from apache_beam.io.iobase import RestrictionProgress, RestrictionTracker

Partition = tuple[str, int]  # topic, number
Offsets = Mapping[Partition, int]


def reader_of(partition: Partition, readers: int) -> int:
    """The number of the reader that owns a partition, of whichever size its topic is or becomes.

    Partitions of a topic are numbered without gaps, so their shares differ by one at most, and
    every reader finds its share of new ones alone. The hash starts each topic at another reader.

    >>> [reader_of(("posts", number), 3) for number in range(6)]
    [2, 0, 1, 2, 0, 1]
    """
    topic, number = partition
    return (crc32(topic.encode()) + number) % readers


class Span(msgspec.Struct, frozen=True, array_like=True):
    """The offsets [start, stop) of one partition; without `stop` they never end."""

    topic: str
    number: int
    start: int
    stop: int | None = None

    @property
    def partition(self) -> Partition:
        """The partition that the offsets belong to."""
        return self.topic, self.number


class Spans(msgspec.Struct, frozen=True):
    """The restriction: what is to be read of every partition, in the partitions' order.

    An endless one has no stops, and partitions may join it. It may hold none at all for now.
    """

    spans: tuple[Span, ...]
    is_endless: bool = False

    @property
    def starts(self) -> dict[Partition, int]:
        """The next offset of each partition."""
        return {span.partition: span.start for span in self.spans}

    @property
    def unread(self) -> dict[Partition, int]:
        """The next offset of each partition that is not at its end."""
        return {s.partition: s.start for s in self.spans if s.stop is None or s.start < s.stop}

    @property
    def stops(self) -> dict[Partition, int]:
        """The end of each partition that has one."""
        return {span.partition: span.stop for span in self.spans if span.stop is not None}

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to read, now and later."""
        return not self.is_endless and not self.unread

    def after(self, reached: Offsets) -> Spans:
        """What is left once the offsets `reached` were read; partitions it did not hold join it."""
        starts = {**self.starts, **reached}
        return _spans(starts, self.stops, self.is_endless)

    def before(self, reached: Offsets) -> Spans:
        """What was read once the offsets `reached` were."""
        starts = self.starts
        return _spans({p: starts.get(p, offset) for p, offset in reached.items()}, reached, False)

    def unread_records(self, ends: Offsets) -> int:
        """How many offsets are left up to the stops, or to `ends` where these are known."""
        stops = {**ends, **self.stops}
        return sum(max(stops.get(p, start) - start, 0) for p, start in self.starts.items())


def spans_between(starts: Offsets, stops: Offsets | None = None) -> Spans:
    """The restriction from `starts` on, up to `stops` where they are given.

    >>> spans_between({("posts", 0): 5}, {("posts", 0): 3}).unread
    {}
    """
    ends = {p: max(start, stops[p]) for p, start in starts.items()} if stops is not None else {}
    return _spans(starts, ends, stops is None)


def _spans(starts: Offsets, stops: Offsets, is_endless: bool) -> Spans:
    spans = (Span(*p, start, stops.get(p)) for p, start in sorted(starts.items()))
    return Spans(tuple(spans), is_endless)


class OffsetsTracker(RestrictionTracker):
    """Claims whole polls at once: a position is the next offset of every partition.

    A partition that an endless restriction did not hold joins it where it is first claimed. The
    remainder is given away only as a whole (a checkpoint), never a fraction of it.

    Args:
        spans: what is to be read.
        ends: where the partitions last ended, as far as is known; only progress rests on it.
    """

    def __init__(self, spans: Spans, ends: Offsets | None = None) -> None:
        self._spans = spans
        self._ends = ends or {}
        self._reached: dict[Partition, int] = spans.starts
        self._was_split = False

    def current_restriction(self) -> Spans:
        return self._spans

    def try_claim(self, position: Offsets) -> bool:
        """Take everything up to `position`, unless the remainder was given away already."""
        back = [p for p, offset in position.items() if offset < self._reached.get(p, 0)]
        if back:
            raise ValueError(f"offsets never go back, those of {back} did")
        if not self._spans.is_endless and not position.keys() <= self._reached.keys():
            raise ValueError(f"partitions join endless restrictions alone, {position} is bounded")
        if self._was_split:
            return False
        self._reached = {**self._reached, **position}
        return True

    def try_split(self, fraction_of_remainder: float) -> tuple[Spans, Spans] | None:
        """Give away all that was not claimed; other fractions than 0 are refused."""
        if fraction_of_remainder or self._was_split or self._is_done():
            return None
        self._was_split = True
        remainder = self._spans.after(self._reached)
        self._spans = self._spans.before(self._reached)
        return self._spans, remainder

    def check_done(self) -> bool:
        if not self._is_done():
            raise ValueError(f"unread: {self._spans} was read to {self._reached}")
        return True

    def current_progress(self) -> RestrictionProgress:
        """Records read and unread; runners fail on fractions that are not numbers."""
        starts = self._spans.starts
        read = sum(offset - starts.get(p, offset) for p, offset in self._reached.items())
        unread = self._spans.after(self._reached).unread_records(self._ends)
        fraction = read / (read + unread) if unread and not self._spans.is_endless else 0.0
        return RestrictionProgress(
            fraction=1.0 if read and self._is_done() else fraction,
            completed=float(read),
            remaining=float(unread),
        )

    def is_bounded(self) -> bool:
        return not self._spans.is_endless

    def _is_done(self) -> bool:
        return self._spans.after(self._reached).is_done
