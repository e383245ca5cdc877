"""Which offsets of which partitions a reader has still to read: one restriction for all of them.

Runners may take a stage's watermark from its latest bundle alone, so partitions that travelled
apart could make each other's posts late. Held together they cannot.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from apache_beam.io.iobase import RestrictionProgress, RestrictionTracker

Partition = tuple[str, int]  # topic, number
Offsets = Mapping[Partition, int]


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
    """The restriction: what is to be read of every partition, in the partitions' order."""

    spans: tuple[Span, ...]

    @property
    def is_bounded(self) -> bool:
        """Whether the reading ends somewhere."""
        return all(span.stop is not None for span in self.spans)

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

    def split_at(self, reached: Offsets) -> tuple[Spans, Spans]:
        """What lies before the offsets `reached`, and what is left after them."""
        before, after = [], []
        for span in self.spans:
            cut = reached[span.partition]
            before.append(Span(span.topic, span.number, span.start, cut))
            after.append(Span(span.topic, span.number, cut, span.stop))
        return Spans(tuple(before)), Spans(tuple(after))


def spans_between(starts: Offsets, stops: Offsets | None = None) -> Spans:
    """The restriction from `starts` on, up to `stops` where they are given."""
    return Spans(
        tuple(
            Span(topic, number, start, max(start, stops[topic, number]) if stops else None)
            for (topic, number), start in sorted(starts.items())
        )
    )


class OffsetsTracker(RestrictionTracker):
    """Claims whole polls at once: a position is the next offset of every partition.

    It gives its remainder away only as a whole (a checkpoint), never a fraction of it.
    """

    def __init__(self, spans: Spans) -> None:
        self._spans = spans
        self._reached: dict[Partition, int] = spans.starts
        self._was_split = False

    def current_restriction(self) -> Spans:
        return self._spans

    def try_claim(self, position: Offsets) -> bool:
        """Take everything up to `position`, unless the remainder was given away already."""
        back = [p for p, offset in position.items() if offset < self._reached[p]]
        if back:
            raise ValueError(f"offsets never go back, those of {back} did")
        if self._was_split:
            return False
        self._reached = {**self._reached, **position}
        return True

    def try_split(self, fraction_of_remainder: float) -> tuple[Spans, Spans] | None:
        """Give away all that was not claimed; other fractions than 0 are refused."""
        if fraction_of_remainder or self._was_split or self._is_done():
            return None
        self._was_split = True
        self._spans, remainder = self._spans.split_at(self._reached)
        return self._spans, remainder

    def check_done(self) -> bool:
        if not self._is_done():
            raise ValueError(f"unread: {self._spans} was read to {self._reached}")
        return True

    def current_progress(self) -> RestrictionProgress:
        """How much of a bounded range was read; runners fail on fractions that are not numbers."""
        stops = self._spans.stops
        whole = sum(stop - self._spans.starts[p] for p, stop in stops.items())
        read = sum(self._reached[p] - self._spans.starts[p] for p in stops)
        return RestrictionProgress(fraction=min(read / whole, 1.0) if whole else 0.0)

    def is_bounded(self) -> bool:
        return self._spans.is_bounded

    def _is_done(self) -> bool:
        stops = self._spans.stops
        return self.is_bounded() and all(self._reached[p] >= stop for p, stop in stops.items())
