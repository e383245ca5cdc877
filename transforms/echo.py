"""The text that most posts of a window repeat, from a uniform sample of its posts."""

from __future__ import annotations

import bisect
import zlib
from collections import Counter
from collections.abc import Sequence

from schemas.records import Echo, Exemplar
from transforms.samples import Sample

MAX_DRAWN = 64
MAX_SHOWN = 8  # a text of every second post is missing among them once in 256 windows
LEAST_SHOWN = 3

Draw = tuple[int, int, int]  # priority of a post, hashes of its cluster and its author
Shown = tuple[int, int, Exemplar]  # priority, hash of the cluster


def draw_of(sample: Sample) -> Draw:
    """What the sample of a window keeps of a post: 32 bits of each name tell 64 apart."""
    return sample.priority, _hash(sample.cluster), _hash(sample.author)


def keep_drawn(drawn: list[Draw], draw: Draw) -> None:
    """Add a post to the sample: those with the lowest priorities stay, whatever the order."""
    bisect.insort(drawn, draw)
    del drawn[MAX_DRAWN:]


def keep_shown(shown: Sequence[Shown]) -> list[Shown]:
    """The exemplars with the lowest priorities."""
    return sorted(shown, key=lambda post: post[:2])[:MAX_SHOWN]


def echo_of(drawn: Sequence[Draw], shown: Sequence[Shown], posts: int) -> Echo | None:
    """The echo of a window of that many posts; None where the sample does not cover it.

    It does not in slices that keep none, nor in windows that an earlier release began. Of texts
    that are repeated as often, the one with the lowest hash leads.
    """
    if not drawn or len(drawn) < min(posts, MAX_DRAWN):
        return None
    counts = Counter(cluster for _, cluster, _ in drawn)
    leading = min(counts, key=lambda cluster: (-counts[cluster], cluster))
    found = (exemplar for _, cluster, exemplar in shown if cluster == leading)
    return Echo(
        sampled=len(drawn),
        posts=counts[leading],
        voices=len({author for _, _, author in drawn}),
        authors=len({author for _, cluster, author in drawn if cluster == leading}),
        exemplar=next(found, None) if counts[leading] >= LEAST_SHOWN else None,
    )


def _hash(name: str) -> int:
    return zlib.crc32(name.encode())
