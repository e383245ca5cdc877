"""What the counters of a run say about two models: how often and how far they disagree."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from schemas.metrics import (
    SHADOW_DIFFERENCES,
    SHADOW_DIFFERING,
    SHADOW_POSTS,
    SHADOW_SKIPPED,
    Metric,
    metric_of,
)

MICRO = 1_000_000
_LABEL = re.compile(r'="([^"]*)"')


class ShadowSummary(msgspec.Struct, frozen=True, kw_only=True):
    """How far a second model disagrees with the one in use, over the posts that both read.

    Attributes:
        posts: posts that both read.
        skipped: posts that the second model left out, by cause.
        share_differing: of the posts, those whose likeliest sentiment differs.
        mean_difference: mean |Δ| of valence, irony, offence and each emotion.
    """

    posts: int
    skipped: dict[str, int]
    share_differing: float
    mean_difference: dict[str, float]

    @property
    def line(self) -> str:
        """The same for a terminal."""
        if not self.posts:
            return f"read nothing, left out {self._left_out}"
        valence = self.mean_difference.get("valence", 0.0)
        return (
            f"{self.posts:,} posts, sentiment differs in {self.share_differing:.1%}, "
            f"mean |Δ valence| {valence:.3f}, left out {self._left_out}"
        )

    @property
    def _left_out(self) -> str:
        return ", ".join(f"{n:,} ({cause})" for cause, n in self.skipped.items()) or "none"


def summarise_shadow(counters: Mapping[str, int]) -> ShadowSummary | None:
    """The summary, None where no second model was asked.

    >>> found = summarise_shadow(
    ...     {
    ...         "moodwire_shadow_posts_total": 4,
    ...         "moodwire_shadow_differing_total": 1,
    ...         'moodwire_shadow_differences_millionths_total{output="valence"}': 200_000,
    ...     }
    ... )
    >>> found.line
    '4 posts, sentiment differs in 25.0%, mean |Δ valence| 0.050, left out none'
    """
    posts = counters.get(SHADOW_POSTS.name, 0)
    skipped = _by_label(counters, SHADOW_SKIPPED)
    if not posts and not skipped:
        return None
    sums = _by_label(counters, SHADOW_DIFFERENCES)
    return ShadowSummary(
        posts=posts,
        skipped=skipped,
        share_differing=round(counters.get(SHADOW_DIFFERING.name, 0) / max(posts, 1), 6),
        mean_difference={name: round(n / MICRO / max(posts, 1), 6) for name, n in sums.items()},
    )


def _by_label(counters: Mapping[str, int], metric: Metric) -> dict[str, int]:
    found = {name: n for name, n in counters.items() if metric_of(name) == metric.name}
    return {_LABEL.findall(name)[0]: n for name, n in sorted(found.items())}
