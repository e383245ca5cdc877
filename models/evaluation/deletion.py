"""The deletion test: do the words that an explanation points at matter more than others?"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from models.evaluation.intervals import Figure, mean_interval
from models.explanation.words import without_words, word_spans
from models.scorer import ScoreInput, Scores

Score = Callable[[Sequence[ScoreInput]], list[Scores]]
Ranking = Sequence[int]

FEWEST_WORDS: Final = 5  # of a shorter post too much is gone at once
DRAWS: Final = 5  # random deletions of each post; their mean is what the ranking is held against


@dataclass(frozen=True)
class DeletionResult:
    """How far readings move when a ranking's first words go, against random words.

    A move is half the sum of |p - p'| over the three sentiments, in [0, 1].

    Attributes:
        posts: how many had enough words.
        top: mean move without the first words of the ranking.
        chance: mean move without as many random words.
        difference: mean of top - chance over posts.
        p_value: Wilcoxon's signed-rank test of the paired moves, two-sided.
    """

    posts: int
    top: float
    chance: float
    difference: Figure
    p_value: float


def deletion_test(
    score: Score,
    items: Sequence[ScoreInput],
    rankings: Sequence[Ranking],
    share: float = 0.2,
    seed: int = 0,
) -> DeletionResult:
    """Removes each post's first words by its ranking, and random ones, and reads it again.

    Args:
        score: reads posts, such as `Scorer.score`.
        items: the posts; those of fewer than five words are left out.
        rankings: for each post the numbers of its words, most important first.
        share: of the words to remove, at least one.
        seed: of the random words.

    Raises:
        ValueError: fewer than two posts have five words.
    """
    kept = [
        (item, ranking)
        for item, ranking in zip(items, rankings, strict=True)
        if len(word_spans(item.text)) >= FEWEST_WORDS
    ]
    if len(kept) < 2:
        raise ValueError(f"the deletion test needs two posts of {FEWEST_WORDS} words or more")
    whole = score([item for item, _ in kept])
    top = _moves(score, kept, whole, share)
    generator = random.Random(seed)
    draws = [
        _moves(
            score, [(item, _shuffled(ranking, generator)) for item, ranking in kept], whole, share
        )
        for _ in range(DRAWS)
    ]
    return _compared(top, np.mean(draws, axis=0), seed)


def _moves(
    score: Score,
    posts: Sequence[tuple[ScoreInput, Ranking]],
    whole: Sequence[Scores],
    share: float,
) -> NDArray[np.float64]:
    shortened = score([_shortened(item, ranking, share) for item, ranking in posts])
    pairs = zip(whole, shortened, strict=True)
    return np.array([_distance(before.sentiment, after.sentiment) for before, after in pairs])


def _shortened(item: ScoreInput, ranking: Ranking, share: float) -> ScoreInput:
    words = word_spans(item.text)
    count = max(1, round(share * len(words)))
    return ScoreInput(without_words(item.text, words, ranking[:count]), item.images)


def _shuffled(ranking: Ranking, generator: random.Random) -> list[int]:
    return generator.sample(list(ranking), len(ranking))


def _distance(before: dict[str, float], after: dict[str, float]) -> float:
    return sum(abs(before[name] - after[name]) for name in before) / 2


def _compared(top: NDArray[np.float64], chance: NDArray[np.float64], seed: int) -> DeletionResult:
    differences = top - chance
    test = stats.wilcoxon(differences) if differences.any() else None
    return DeletionResult(
        posts=len(top),
        top=float(top.mean()),
        chance=float(chance.mean()),
        difference=mean_interval(differences, seed),
        p_value=1.0 if test is None else float(test.pvalue),
    )
