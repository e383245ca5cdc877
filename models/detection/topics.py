"""What a crowd talks about: posts grouped by the words that they share, and words that name it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

# Both measured, as are words against the joint space: docs/decisions/0052, benchmarks.bench_topics.
FARTHEST = 0.97  # mean cosine distance at which two groups are still one
SAME_TOPIC = 0.35  # cosine from which a group goes on with a known topic
NAMING_TERMS = 3
RARITY = 0.01  # a word is no rarer than this
MAX_WEIGHTS = 16
LEAST_POSTS = 2  # with a term: what stands in one post alone groups nothing

Weights = dict[str, float]  # of terms, of unit length together


def words_of(terms: Iterable[str], own: Container[str] = ()) -> tuple[str, ...]:
    """The same terms without those of the brand's `own`; hashtags are words: `#sandy` is `sandy`.

    >>> words_of(("#sandy", "new", "nova", "sandy"), own={"nova"})
    ('new', 'sandy')
    """
    words = {term.lstrip("#") for term in terms}
    return tuple(sorted(word for word in words if word not in own))


class Grouping:
    """Texts, each by its words, in groups of those that share the telling ones.

    TF-IDF with the root of the inverse document frequency, so that words of a whole group weigh
    about as much as rare ones; groups by average linkage of cosine distances. The same texts in
    the same order give the same groups.
    """

    def __init__(self, texts: Sequence[tuple[str, ...]], farthest: float = FARTHEST) -> None:
        counts = Counter(word for words in texts for word in words)
        self._words = sorted(word for word, posts in counts.items() if posts >= LEAST_POSTS)
        self._rows = _unit_rows(texts, self._words, counts)
        self.groups = _grouped(self._rows, farthest)

    def weights(self, members: Sequence[int]) -> Weights:
        """The heaviest words of a group's mean."""
        mean = self._rows[members].mean(axis=0).tolist()
        return strongest(dict(zip(self._words, mean, strict=True)))

    def central(self, members: Sequence[int]) -> list[int]:
        """The members of a group, those nearest its mean first; equally near ones as they came."""
        near = np.round(self._rows[members] @ self._rows[members].mean(axis=0), 6)
        return [members[place] for place in np.argsort(-near, kind="stable")]


def _unit_rows(
    texts: Sequence[tuple[str, ...]], words: Sequence[str], counts: Mapping[str, int]
) -> NDArray[np.float64]:
    column = {word: number for number, word in enumerate(words)}
    rows = np.zeros((len(texts), len(words)))
    for row, text in zip(rows, texts, strict=True):
        for word in text:
            if word in column:
                row[column[word]] = math.sqrt(math.log((1 + len(texts)) / counts[word]))
    lengths: NDArray[np.float64] = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: NDArray[np.float64] = rows / np.where(lengths, lengths, 1.0)
    return unit


def _grouped(rows: NDArray[np.float64], farthest: float) -> list[list[int]]:
    """Members of each group in their order, the groups by their first; a text alone is one."""
    telling = np.flatnonzero(rows.any(axis=1))
    if len(telling) < 2:
        return [[number] for number in range(len(rows))]
    distances = 1 - np.round(rows[telling] @ rows[telling].T, 6)
    np.fill_diagonal(distances, 0)
    labels = fcluster(linkage(squareform(distances, checks=False), "average"), farthest, "distance")
    groups: dict[int, list[int]] = {}
    for number, label in zip(telling.tolist(), labels.tolist(), strict=True):
        groups.setdefault(label, []).append(number)
    alone = [[number] for number in range(len(rows)) if not rows[number].any()]
    return sorted([*groups.values(), *alone])


def strongest(weights: Mapping[str, float]) -> Weights:
    """The heaviest words, of unit length together; ties in the order of the alphabet."""
    ranked = sorted(((w, round(v, 6)) for w, v in weights.items() if v > 0), key=_by_weight)
    kept = ranked[:MAX_WEIGHTS]
    length = math.sqrt(sum(value * value for _, value in kept))
    return {word: round(value / length, 6) for word, value in kept}


def _by_weight(item: tuple[str, float]) -> tuple[float, str]:
    return -item[1], item[0]


def likeness(one: Weights, other: Weights) -> float:
    """Cosine of two groups' words.

    >>> likeness({"lost": 0.6, "bag": 0.8}, {"bag": 1.0})
    0.8
    """
    return round(sum(weight * other.get(word, 0.0) for word, weight in one.items()), 6)


def name_of(
    seen: Mapping[str, int], texts: int, elsewhere: Mapping[str, int], others: int
) -> tuple[str, ...]:
    """Three words that tell a group's texts from the others, the most telling first.

    By p·ln(p / (q + 0.01)), p and q being the shares of the group's and of the other texts that
    hold the word: about what it adds to the relative entropy, a class-based TF-IDF whose rarest
    words do not win by rarity alone. Words that the group says no more often are left out.
    """
    scores = {
        word: round(count / texts * math.log(count / texts / _share(elsewhere, word, others)), 6)
        for word, count in seen.items()
        if count >= LEAST_POSTS
    }
    ranked = sorted(scores.items(), key=_by_weight)
    return tuple(word for word, score in ranked[:NAMING_TERMS] if score > 0)


def _share(counts: Mapping[str, int], word: str, texts: int) -> float:
    return counts.get(word, 0) / max(texts, 1) + RARITY
