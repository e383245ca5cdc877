"""Trends of very many brands with five slices each, as a run would publish them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from schemas.records import Slice, Trend
from tests.dashboards.run_folder import a_trend
from tests.dashboards.story import DAY, Moment

SLICES = (Slice(), *(Slice(lang=lang) for lang in ("en", "de", "es", "fr", "it")))
FIRST_PANE = 1_000_000


class Panes:
    """Trends of so many brands, each with posts that stand for it, as a run would publish them."""

    def __init__(self, brands: int, windows: int) -> None:
        self.brands = [f"brand {number:04}" for number in range(brands)]
        moment = Moment(posts=40, valence=0.1, image_share=0.3)
        whole = a_trend("Aerolume", DAY, moment, timing="on_time")  # it has posts to show
        self._templates = {Slice(): whole, Slice(lang="en"): replace(whole, exemplars=())}
        newest = datetime.now(UTC).replace(second=0, microsecond=0)
        self.starts = [newest - timedelta(minutes=n) for n in reversed(range(windows))]

    def pane(self, brand: str, part: Slice, start: datetime, **changes: Any) -> Trend:
        """One pane of one window."""
        template = self._templates[Slice() if part == Slice() else Slice(lang="en")]
        end_of = start + timedelta(minutes=5)
        return replace(
            template, brand=brand, slice=part, window_start=start, window_end=end_of, **changes
        )

    def history(self) -> Iterator[Trend]:
        """Every window of every series."""
        for start in self.starts:
            for brand in self.brands:
                for part in SLICES:
                    yield self.pane(brand, part, start)

    def news(self) -> Iterator[Trend]:
        """Panes of the newest windows, numbered from `FIRST_PANE` on, series after series."""
        number = FIRST_PANE
        while True:
            for brand in self.brands:
                for part in SLICES:
                    newest = self.starts[-1]
                    yield self.pane(brand, part, newest, timing="late", pane_index=number)
                    number += 1
