"""Trends as the page draws them: the newest pane of each window, a bounded number per series."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from itertools import chain

import msgspec

from dashboards.live.journal import Journal
from schemas.records import Estimate, Exemplar, PaneTiming, Slice, Trend

TIMINGS: tuple[PaneTiming, ...] = ("early", "on_time", "late", "final")
BRAND_WINDOWS = 1500  # a day of windows that start every minute
SLICE_WINDOWS = 60
ALL_BRAND_WINDOWS = 30_000  # of all brands together: many brands share them
ALL_SLICE_WINDOWS = 40_000
LEAST_WINDOWS = 6  # those still open, and the newest before them
SETTLED_WINDOWS = 2  # where metrics alone are told
MAX_SERIES = 10_000  # brands times slices

Series = tuple[str, str, str]  # brand, dimension, value; both empty for all posts of a brand


class Window(msgspec.Struct, frozen=True, array_like=True):
    """One window of one series, sent as an array; the snapshot names the columns once."""

    brand: str
    dimension: str
    value: str
    start: int
    end: int
    timing: PaneTiming
    pane: int
    posts: int
    authors: int
    clusters: int
    with_image: int
    abstained: int
    reach: int
    valence: float
    valence_low: float
    valence_high: float
    image_valence: float | None
    negative: float
    negative_low: float
    negative_high: float
    image_weight: float
    mood: dict[str, tuple[float, float, float]]
    model: str

    @property
    def series(self) -> Series:
        """The line that this window is a point of."""
        return self.brand, self.dimension, self.value

    @property
    def rank(self) -> tuple[int, int]:
        """Of two panes of one window the higher rank is the newer."""
        return TIMINGS.index(self.timing), self.pane


def dimension_of(part: Slice) -> tuple[str, str] | None:
    """What `part` narrows and to which value; None where it narrows more than one thing.

    >>> dimension_of(Slice()), dimension_of(Slice(lang="de"))
    (('', ''), ('lang', 'de'))
    """
    pairs = (("channel", part.channel), ("lang", part.lang), ("country", part.country))
    narrowed = [pair for pair in pairs if pair[1] != "*"]
    if len(narrowed) > 1:
        return None
    return narrowed[0] if narrowed else ("", "")


def _rounded(estimate: Estimate) -> tuple[float, float, float]:
    return round(estimate.mean, 4), round(estimate.low, 4), round(estimate.high, 4)


def window_of(trend: Trend) -> Window | None:
    """The page's row for `trend`; None for a slice that the page does not show."""
    narrowed = dimension_of(trend.slice)
    if narrowed is None:
        return None
    return Window(
        trend.brand,
        *narrowed,
        int(trend.window_start.timestamp()),
        int(trend.window_end.timestamp()),
        trend.timing,
        trend.pane_index,
        trend.posts,
        trend.authors,
        trend.clusters,
        trend.posts_with_image,
        trend.abstained,
        trend.reach,
        *_rounded(trend.valence),
        round(trend.image_valence.mean, 4) if trend.image_valence else None,
        *_rounded(trend.share_negative),
        round(trend.image_weight, 4),
        {} if narrowed[0] else {name: _rounded(part) for name, part in trend.mood.items()},
        trend.model,
    )


class Windows:
    """Trends in, any order and any number of times; the newest pane of each window out.

    A series keeps its newest windows: `BRAND_WINDOWS` or `SLICE_WINDOWS` of them, fewer where more
    series share what is kept altogether; older ones are forgotten and stay so. `most` says how many
    of a brand instead, and of all. Series beyond
    `MAX_SERIES` are not kept but counted. For metrics alone two ended windows of a brand will do.
    """

    def __init__(self, for_metrics: bool = False, most: tuple[int, int] | None = None) -> None:
        self.journal: Journal[tuple[Series, int], Window] = Journal()
        self._for_metrics = for_metrics
        self._most = most
        self._starts: dict[Series, list[int]] = {}
        self._brands = 0  # series of all posts of a brand
        self._left_out: set[Series] = set()
        self._exemplars: dict[tuple[str, int], tuple[Exemplar, ...]] = {}

    @property
    def limits(self) -> tuple[int, int]:
        """How many windows a brand keeps now, and how many a slice of one."""
        if self._for_metrics:
            return SETTLED_WINDOWS, 0
        slices = len(self._starts) - self._brands
        return (
            _part(*(self._most or (BRAND_WINDOWS, ALL_BRAND_WINDOWS)), self._brands),
            _part(SLICE_WINDOWS, ALL_SLICE_WINDOWS, slices),
        )

    @property
    def left_out(self) -> int:
        """Series that came and found no room; itself counted up to `MAX_SERIES`."""
        return len(self._left_out)

    def add(self, trend: Trend, version: int) -> bool:
        """Fold one trend in as of `version`; whether anything changed."""
        window = window_of(trend)
        if window is None or self._is_idle(window) or not self._is_news(window):
            return False
        self.journal.put((window.series, window.start), window, version)
        if not window.dimension and not self._for_metrics:
            self._exemplars[window.brand, window.start] = trend.exemplars
        self._make_room(window.series)
        return True

    def newest_settled(self, brand: str) -> Window | None:
        """The newest window of all posts of `brand` whose end the watermark has passed."""
        series = (brand, "", "")
        for start in reversed(self._starts.get(series, [])):
            window = self.journal.get((series, start))
            if window and window.timing != "early":
                return window
        return None

    def exemplars(self, brand: str, start: int) -> tuple[Exemplar, ...]:
        """Posts that stand for the window of `brand` that began at `start`."""
        return self._exemplars.get((brand, start), ())

    def all_exemplars(self) -> Iterator[Exemplar]:
        """Posts that stand for any window."""
        return chain.from_iterable(self._exemplars.values())

    def brands(self) -> Iterator[str]:
        """Every brand that has a window, in the order of their names."""
        return iter(sorted({brand for brand, dimension, _ in self._starts if not dimension}))

    def _is_idle(self, window: Window) -> bool:
        """Whether nobody would ask for it."""
        return self._for_metrics and (bool(window.dimension) or window.timing == "early")

    def _is_news(self, window: Window) -> bool:
        known = self.journal.get((window.series, window.start))
        if known is not None:
            return window.rank > known.rank
        starts = self._starts.get(window.series)
        if starts is None:
            starts = self._open_series(window.series)
        limit = self._limit(window.series)
        if starts is None or (len(starts) >= limit and window.start < starts[0]):
            return False
        insort(starts, window.start)
        return True

    def _open_series(self, series: Series) -> list[int] | None:
        if len(self._starts) >= MAX_SERIES:
            if len(self._left_out) < MAX_SERIES:
                self._left_out.add(series)
            return None
        self._brands += not series[1]
        return self._starts.setdefault(series, [])

    def _make_room(self, series: Series) -> None:
        starts = self._starts[series]
        while len(starts) > self._limit(series):
            oldest = starts.pop(0)
            self.journal.drop((series, oldest))
            if not series[1]:
                self._exemplars.pop((series[0], oldest), None)

    def _limit(self, series: Series) -> int:
        return self.limits[1 if series[1] else 0]


def _part(most: int, altogether: int, series: int) -> int:
    """What each of so many series may keep."""
    return min(most, max(LEAST_WINDOWS, altogether // max(series, 1)))
