"""When a brand is usually talked about, over days: what an hour brings, how long it is silent."""

from __future__ import annotations

import math

import msgspec

from models.detection.count_detector import FORGET_SECONDS, CountDetector

SILENCE = "silence"
DISPERSION = 0.25  # squared relative scatter of what a whole stretch brings
LONGER_THAN_USUAL = 2.0  # times the longest silence of the last weeks
MOST_LONGER = 3.0  # times the longest: what one silence teaches, so that an outage is no habit
MEMORY_SECONDS = 14 * 24 * 3600


class Rhythm(msgspec.Struct):
    """How many people an hour of a weekday usually brings, and the longest silence lately.

    Learns windows that do not overlap, those without posts as zeros, by the detector of counts
    (docs/decisions/0021). Nothing is known before three days. Some six hundred bytes.
    """

    counts: CountDetector = msgspec.field(default_factory=CountDetector)
    longest: float = 0.0
    heard: int | None = None

    def expect(self, end: int) -> float:
        """People whom the window that ends there usually brings; 0 where not known yet."""
        return self.counts.baseline.expect(end) if self.counts.is_warm(end) else 0.0

    def silent_at(
        self, last_end: int, until: int | None, width: int, score: float
    ) -> tuple[int, float] | None:
        """When silence since `last_end` becomes unlikely, and how many people are missing then.

        P(nobody | E expected) = (1 + φE)^(-1/φ), a negative binomial, at most 10^-score; and no
        less than twice the longest silence of the last weeks, since nights and weekends are known
        only roughly. None where the rhythm is not known, or not before `until`.
        """
        expected, least = 0.0, last_end + LONGER_THAN_USUAL * self.longest
        latest = last_end + FORGET_SECONDS
        for end in range(last_end + width, min(latest, until or latest), width):
            if not self.counts.is_warm(end):
                return None
            expected += self.counts.baseline.expect(end)
            if end >= least and silence_score(expected) >= score:
                return end, expected
        return None

    def learn_one(self, end: int, width: int, people: int) -> None:
        """Take in a window with posts, in the order of ends."""
        if self.heard is not None:
            self._learn_silence(end - self.heard, end)
        self.heard = end
        if end % width:
            return
        last = self.counts.last
        if last is not None and end - last <= FORGET_SECONDS:
            for empty in range(last + width, end, width):
                self.counts.learn_one(empty, 0)
        self.counts.learn_one(end, people)

    def _learn_silence(self, passed: int, end: int) -> None:
        """Take in how long nobody spoke; freely until the rhythm is known, then by degrees."""
        known = self.counts.is_warm(end) and self.longest > 0
        most = MOST_LONGER * self.longest if known else math.inf
        faded = self.longest * math.exp(-passed / MEMORY_SECONDS)
        self.longest = max(min(passed, most), faded)


def silence_score(expected: float) -> float:
    """-log10 of the chance that nobody speaks where so many are expected.

    >>> silence_score(0.0), 6 < silence_score(123.0) < 6.1
    (0.0, True)
    """
    return round(math.log1p(DISPERSION * expected) / (DISPERSION * math.log(10)), 4)
