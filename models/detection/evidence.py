"""What an incident shows: its posts, its words and the emotion behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from schemas.records import Exemplar, Trend

MAX_EVIDENCE = 5


def worst_posts(posts: Iterable[Exemplar]) -> list[Exemplar]:
    """The most negative posts, each text and image once; ties by channel and post id."""
    ranked = sorted(posts, key=lambda p: (p.valence, -p.reach, p.channel, p.post_id))
    firsts: dict[tuple[str, str | None], Exemplar] = {}
    for post in ranked:
        firsts.setdefault((post.text, post.thumbnail), post)
    return list(firsts.values())[:MAX_EVIDENCE]


def gravest_emotion(trend: Trend) -> str:
    """The strongest emotion group of a window other than neutral."""
    moods = {group: mood.mean for group, mood in trend.mood.items() if group != "neutral"}
    return min(moods, key=lambda group: (-moods[group], group), default="neutral")


def widest(known: Mapping[str, int], seen: Mapping[str, int]) -> dict[str, int]:
    """The larger count of each term: windows overlap, so that their sum would count posts twice."""
    return {term: max(known.get(term, 0), seen.get(term, 0)) for term in {**known, **seen}}
