"""How high a brand's ordinary peaks reach: surprises judged by the tail that the brand has."""

from __future__ import annotations

import math

import msgspec

FLOOR = 2.0  # decades: one window in a hundred by the baseline; peaks above it are kept
MEMORY_PEAKS = 64
MEMORY_SECONDS = 28 * 24 * 3600
BELIEVED_WINDOWS = 1000  # what the baseline says of its own tail counts for so many windows,
# and the peaks that it expects of them: P(score ≥ s) = 10^-s, at their quantiles
BELIEVED = tuple(-math.log10(0.95 - step / 10) for step in range(10))
MILLI = 1000
DAY_SECONDS = 24 * 3600


class OwnPeaks(msgspec.Struct):
    """Peaks of one signal's score above `FLOOR`, and what a score is worth among them.

    A baseline knows its tail only as far as its windows reach: where bursts are ordinary, one
    window in a thousand comes twenty times a day. So the chance of a score is that of a peak
    among the brand's own windows, times that of so high a one among its own peaks (peaks over
    threshold: Pickands 1975; on streams: Siffer et al. 2017). The highest peak of each day is left
    out: it may be an incident, and one a day makes no habit. Never more than the score itself.

    Scores above the floor without a width of calm between them are one peak. `ends` and
    `excesses` (thousandths) are those of the newest 64 peaks of four weeks, `since` is when
    watching began; all in epoch seconds.
    """

    since: int
    ends: list[int] = []
    excesses: list[int] = []
    highest: int = 0
    hot: int = 0

    def temper(self, score: float, end: int, width: int) -> float:
        """What `score` of the window that ends there is worth."""
        if not self.ends:
            return score
        ordinary = self._ordinary(end)
        windows = (end - self.since) / width + BELIEVED_WINDOWS
        rarity = math.log10(windows / len(ordinary))
        return min(score, round(rarity + height_of(max(0.0, score - FLOOR), ordinary), 4))

    def learn_one(self, score: float, end: int, width: int) -> None:
        """Take in one window, in the order of ends."""
        if self.highest and end - self.hot > width:
            self._keep()
        if score > FLOOR:
            self.hot = end
            self.highest = max(self.highest, round((score - FLOOR) * MILLI))

    def _keep(self) -> None:
        """Add the peak that is over, and forget what is too old or too much."""
        self.ends.append(self.hot)
        self.excesses.append(self.highest)
        self.highest = 0
        self.since = max(self.since, self.hot - MEMORY_SECONDS)
        while len(self.ends) > MEMORY_PEAKS or self.ends[0] <= self.since:
            self.since = max(self.since, self.ends.pop(0))
            del self.excesses[0]

    def _ordinary(self, end: int) -> list[float]:
        """Excesses of peaks that are no incidents, in order: the highest of each day left out."""
        incidents = math.ceil((end - self.since) / DAY_SECONDS)
        kept = sorted(self.excesses)[: max(0, len(self.excesses) - incidents)]
        return sorted([*(one / MILLI for one in kept), *BELIEVED])


def height_of(excess: float, peaks: list[float]) -> float:
    """-log10 of the share of `peaks`, excesses in order, that reach so high.

    Interpolated up to their median; above it an exponential tail, as wide as the quarter below the
    median says. What the upper half looks like does not matter: incidents are there.

    >>> height_of(0.3, [0.1, 0.2, 0.3, 0.4, 0.5])
    0.30103
    """
    low, middle = peaks[len(peaks) // 4], peaks[len(peaks) // 2]
    if excess <= middle:
        return round(math.log10(2) * excess / middle, 6)
    decade = max(1.0, (middle - low) / math.log10(1.5))
    return round(math.log10(2) + (excess - middle) / decade, 6)
