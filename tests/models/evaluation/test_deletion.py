"""Facts about the deletion test, with readers whose words that matter are known."""

import random
from collections.abc import Sequence

import pytest

from models.evaluation.deletion import deletion_test
from models.labels import EMOTIONS
from models.scorer import ScoreInput, Scores

FILLERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def a_reading(positive: float) -> Scores:
    return Scores(
        sentiment={"negative": 1 - positive, "neutral": 0.0, "positive": positive},
        emotions=dict.fromkeys(EMOTIONS, 0.0),
        irony=0.0,
        offence=0.0,
        valence=2 * positive - 1,
        confidence=max(positive, 1 - positive),
        abstained=False,
        alpha_text=1.0,
        alpha_image=0.0,
        mismatch=None,
        model="word counter",
    )


def reads_one_word(items: Sequence[ScoreInput]) -> list[Scores]:
    """Positive because of "good" alone, and a little by length."""
    return [
        a_reading(0.9 if "good" in item.text.split() else 0.2 + 0.001 * len(item.text))
        for item in items
    ]


def some_posts(count: int = 40) -> list[ScoreInput]:
    rng = random.Random(0)
    return [
        ScoreInput(" ".join(rng.sample(["good", *rng.sample(FILLERS, rng.randrange(5, 10))], k)))
        for k in [6] * count
    ]


POSTS = [post for post in some_posts(80) if "good" in post.text.split()]
BEST = [
    sorted(range(len(post.text.split())), key=lambda place: post.text.split()[place] != "good")
    for post in POSTS
]


def test_ranking_that_knows_what_matters_moves_more_than_chance() -> None:
    found = deletion_test(reads_one_word, POSTS, BEST)

    assert found.posts == len(POSTS)
    assert found.top > 0.6
    assert found.top - found.chance == pytest.approx(found.difference.value)
    assert 0 < found.difference.low < found.difference.value < found.difference.high
    assert found.p_value < 1e-4


def test_ranking_that_has_it_backwards_moves_less_than_chance() -> None:
    found = deletion_test(reads_one_word, POSTS, [ranking[::-1] for ranking in BEST])

    assert found.difference.high < 0
    assert found.p_value < 1e-4


def test_random_ranking_is_no_better_than_chance() -> None:
    rng = random.Random(1)
    shuffled = [rng.sample(ranking, len(ranking)) for ranking in BEST]

    found = deletion_test(reads_one_word, POSTS, shuffled)

    assert found.difference.low < 0 < found.difference.high
    assert found.p_value > 0.05


def test_the_share_says_how_many_words_go() -> None:
    all_gone = deletion_test(reads_one_word, POSTS, BEST, share=1.0)

    assert all_gone.difference.value == 0
    assert all_gone.p_value == 1


def test_same_seed_same_figures() -> None:
    assert deletion_test(reads_one_word, POSTS, BEST) == deletion_test(reads_one_word, POSTS, BEST)


def test_short_posts_are_left_out_and_too_few_are_an_error() -> None:
    with pytest.raises(ValueError, match="two posts of 5 words"):
        deletion_test(reads_one_word, [ScoreInput("so good")] * 9, [[0, 1]] * 9)
