"""Hours, days and other long windows of brands as the page draws them: some of each length."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from dashboards.live.windows import Window, Windows
from schemas.records import Exemplar, Rollup, Slice

MAX_LENGTHS = 4
BRAND_ROLLUPS = 750  # of one length: a month of hours, two years of days
ALL_BRAND_ROLLUPS = 10_000  # of one length, of all brands together


class Rollups:
    """Roll-ups in, any order and any number of times; the newest panes of all posts of a brand out.

    Each length has `Windows` of its own, so that an hour and a day of one start are told apart.
    """

    def __init__(self) -> None:
        self._lengths: dict[int, Windows] = {}

    @property
    def limit(self) -> int:
        """How many roll-ups of each length a brand keeps at most."""
        return max((kept.limits[0] for kept in self._lengths.values()), default=BRAND_ROLLUPS)

    def add(self, rollup: Rollup, version: int) -> bool:
        """Fold one roll-up in as of `version`; whether anything changed."""
        seconds = round((rollup.window_end - rollup.window_start).total_seconds())
        if rollup.slice != Slice():
            return False
        if seconds not in self._lengths:
            if len(self._lengths) >= MAX_LENGTHS:
                return False
            self._lengths[seconds] = Windows(most=(BRAND_ROLLUPS, ALL_BRAND_ROLLUPS))
        return self._lengths[seconds].add(rollup, version)

    def since(self, version: int) -> Iterator[Window]:
        """Those that changed after `version`, length by length."""
        return chain.from_iterable(kept.journal.since(version) for kept in self._lengths.values())

    def exemplars(self, brand: str, start: int, seconds: int) -> tuple[Exemplar, ...]:
        """Posts that stand for the roll-up of `brand` that began at `start`."""
        kept = self._lengths.get(seconds)
        return kept.exemplars(brand, start) if kept else ()

    def all_exemplars(self) -> Iterator[Exemplar]:
        """Posts that stand for any roll-up."""
        return chain.from_iterable(kept.all_exemplars() for kept in self._lengths.values())
