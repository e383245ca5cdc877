"""How often a text finds its own image in the joint space, and an image its text."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.evaluation.intervals import Figure, mean_interval

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Recall:
    """Recall at k of one direction.

    Attributes:
        direction: `text → image` or `image → text`.
        k: how many candidates count.
        recall: share of the queries whose own partner is among the k closest.
        chance: what a random order would reach, k / candidates.
    """

    direction: str
    k: int
    recall: Figure
    chance: float


def recall_at(
    text: Vectors,
    image: Vectors,
    ks: Sequence[int] = (1, 5, 10),
    own: NDArray[np.bool_] | None = None,
    seed: int = 0,
) -> list[Recall]:
    """Recall of both directions over pairs; row i of each belongs together.

    Candidates as close as the partner count as closer, so a space in which everything is the same
    finds nothing.

    Args:
        text: unit vectors, (pairs, width).
        image: the same for the images.
        ks: how many candidates count.
        own: (pairs, pairs), true where two pairs hold the same text or the same picture, so that
            finding either is right; default: each pair has its own.
        seed: of the bootstrap.

    Raises:
        ValueError: the shapes differ.
    """
    own = np.eye(len(text), dtype=np.bool_) if own is None else own
    ranks = ranks_of(text, image, own)
    return [_recall(name, k, found, seed) for name, found in ranks.items() for k in ks]


def ranks_of(text: Vectors, image: Vectors, own: NDArray[np.bool_]) -> dict[str, NDArray[np.int64]]:
    """By direction the rank of each query's closest partner, (pairs,); arguments as above.

    Raises:
        ValueError: the shapes differ.
    """
    if text.shape != image.shape:
        raise ValueError(f"texts {text.shape}, images {image.shape}: one row each of every pair")
    similarity = np.asarray(text, dtype=np.float64) @ np.asarray(image, dtype=np.float64).T
    return {
        "text → image": partner_ranks(similarity, own),
        "image → text": partner_ranks(similarity.T, own.T),
    }


def partner_ranks(similarity: NDArray[np.float64], own: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Rank of each query's closest partner, 1 at best; ties go against it.

    Args:
        similarity: (queries, candidates).
        own: where a candidate is a partner, the same shape, at least one in each row.
    """
    best = np.where(own, similarity, -np.inf).max(axis=1, keepdims=True)
    return np.asarray(1 + ((similarity >= best) & ~own).sum(axis=1))


def _recall(direction: str, k: int, ranks: NDArray[np.int64], seed: int) -> Recall:
    found = mean_interval((ranks <= k).astype(np.float64), seed)
    return Recall(direction, k, found, chance=min(1.0, k / len(ranks)))
