"""One text said by many people, or many times by few: the echo of a window against the usual."""

from __future__ import annotations

import msgspec

from models.detection.baselines import Departure, ShareBaseline
from schemas.records import Echo, Trend

VIRAL, CAMPAIGN = "shared_text", "copied_text"
LEAST_SPREAD = 0.5  # a viral post carries most of a window's people
LEAST_REPEATS = 1.25  # posts for each author of the text in the sample, of a campaign
LEAST_COPIES = 2 / 3  # each account says the text three times
LEAST_ACCOUNTS = 2  # alone one is a spammer


class Echoes(msgspec.Struct):
    """Which share of people usually say the same text, and which share of posts are copies.

    Spread: people of the leading text, of the people in the sample. Copies: sampled posts that
    both repeat that text and come of people who post again; with s of k sampled posts in the text,
    n posts and a authors in the window, min(s, k·(n - a)/n). Either is scored by the tail of a
    binomial at its usual share and a margin. Some hundred integers.
    """

    spread: ShareBaseline = msgspec.field(default_factory=ShareBaseline)
    copies: ShareBaseline = msgspec.field(default_factory=ShareBaseline)

    def score_spread(self, trend: Trend, least: int, margin: float) -> Departure | None:
        """How surprisingly many people share one text; None where not `least` people do."""
        echo = trend.echo
        if echo is None or echo.authors < LEAST_SPREAD * echo.voices:
            return None
        if echo.authors * trend.authors < least * echo.voices:
            return None
        return self.spread.score_one(echo.authors, echo.voices, margin)

    def score_copies(self, trend: Trend, least: int, margin: float) -> Departure | None:
        """How surprisingly many posts copy a text by few accounts; None below `least` posts."""
        echo = trend.echo
        if echo is None or echo.authors < LEAST_ACCOUNTS:
            return None
        if echo.posts < LEAST_REPEATS * echo.authors:
            return None
        posts = echo.posts * trend.posts / echo.sampled
        again = trend.posts - trend.authors
        if posts < least or again < LEAST_COPIES * posts:
            return None
        return self.copies.score_one(_copies(trend, echo), echo.sampled, margin)

    def learn_one(self, trend: Trend) -> None:
        """Make a window part of what is usual; one whose echo is not known teaches nothing."""
        echo = trend.echo
        if echo is not None:
            self.spread.learn_one(echo.authors if echo.posts > 1 else 0, echo.voices)
            self.copies.learn_one(_copies(trend, echo), echo.sampled)


def _copies(trend: Trend, echo: Echo) -> int:
    again = max(0, trend.posts - trend.authors)
    return min(echo.posts, echo.sampled * again // max(1, trend.posts))
