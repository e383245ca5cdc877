import random

import msgspec
import numpy as np
import pytest

from models.feature_cache import FeatureCache, content_key
from models.labels import EMOTIONS, SENTIMENTS
from models.scorer import ScoreInput, Scorer, Scores
from tests.models.tiny_model import WORDS, a_checkpoint, a_rendition

CHECKPOINT = a_checkpoint()


def a_scorer(cached_images: int = 16) -> Scorer:
    for part in (CHECKPOINT.text_encoder, CHECKPOINT.image_encoder, CHECKPOINT.mood):
        part.eval()
    return Scorer(CHECKPOINT, cached_images)


def many_posts() -> list[ScoreInput]:
    """Texts of every length; some with one image, with two, with an image alone."""
    rng = random.Random(0)
    images = [a_rendition(red) for red in (0, 120, 240)]
    texts = [" ".join(rng.choices(WORDS[4:], k=rng.randrange(1, 40))) for _ in range(40)]
    posts = [
        ScoreInput(text, (images[i % 3],) if i % 4 == 0 else ()) for i, text in enumerate(texts)
    ]
    return [*posts, ScoreInput("", (images[0],)), ScoreInput(""), ScoreInput("good", tuple(images))]


def score_in_parts(scorer: Scorer, posts: list[ScoreInput], sizes: list[int]) -> list[Scores]:
    scores: list[Scores] = []
    while len(scores) < len(posts):
        size = sizes[len(scores) % len(sizes)]
        scores += scorer.score(posts[len(scores) : len(scores) + size])
    return scores


def test_scores_name_every_label_and_the_model() -> None:
    [scores] = a_scorer().score([ScoreInput("good phone")])

    assert tuple(scores.sentiment) == SENTIMENTS
    assert tuple(scores.emotions) == EMOTIONS
    assert scores.model == "tiny-1"


def test_probabilities_are_rounded_and_consistent() -> None:
    [scores] = a_scorer().score([ScoreInput("bad phone", (a_rendition(),))])

    assert sum(scores.sentiment.values()) == pytest.approx(1, abs=2e-6)
    assert scores.confidence == max(scores.sentiment.values())
    spread = scores.sentiment["positive"] - scores.sentiment["negative"]
    assert scores.valence == pytest.approx(spread, abs=2e-6)
    assert scores.alpha_text + scores.alpha_image == pytest.approx(1, abs=1e-6)
    assert all(value == round(value, 6) for value in scores.emotions.values())


def test_text_only_post_weighs_text_alone_and_has_no_mismatch() -> None:
    [scores] = a_scorer().score([ScoreInput("good")])

    assert (scores.alpha_text, scores.alpha_image, scores.mismatch) == (1.0, 0.0, None)


def test_image_only_post_weighs_the_image_alone() -> None:
    [scores] = a_scorer().score([ScoreInput("", (a_rendition(),))])

    assert (scores.alpha_text, scores.alpha_image, scores.mismatch) == (0.0, 1.0, None)


def test_post_with_image_has_a_mismatch_between_zero_and_one() -> None:
    [scores] = a_scorer().score([ScoreInput("good", (a_rendition(),))])

    assert scores.mismatch is not None
    assert 0 <= scores.mismatch <= 1
    assert 0 < scores.alpha_text < 1


def test_several_images_are_averaged() -> None:
    one, twice, other = a_scorer().score(
        [
            ScoreInput("good", (a_rendition(red),) * count)
            for red, count in ((0, 1), (0, 2), (250, 1))
        ]
    )

    assert one == twice
    assert one != other


def test_unsure_readings_abstain() -> None:
    scores = a_scorer().score(many_posts())

    assert all(one.abstained == (one.confidence < 0.4) for one in scores)


def test_no_posts_no_scores() -> None:
    assert a_scorer().score([]) == []


@pytest.mark.parametrize("seed", range(3))
def test_scores_do_not_depend_on_batch_size_order_or_neighbours(seed: int) -> None:
    posts, rng = many_posts(), random.Random(seed)
    together = a_scorer().score(posts)
    order = rng.sample(range(len(posts)), len(posts))

    shuffled = score_in_parts(a_scorer(), [posts[index] for index in order], [1, 5, 2, 13, 3])

    assert shuffled == [together[index] for index in order]


def test_remembered_images_give_the_same_bits() -> None:
    posts, remembering = many_posts(), a_scorer(cached_images=2)
    fresh = a_scorer(cached_images=0).score(posts)

    assert remembering.score(posts) == fresh
    assert remembering.score(posts) == fresh


def test_post_longer_than_the_model_reads_is_cut() -> None:
    long, longer = a_scorer().score([ScoreInput("good " * 40), ScoreInput("good " * 400)])

    assert long == longer


def test_unreadable_image_is_an_error() -> None:
    with pytest.raises(ValueError, match="not a rendition"):
        a_scorer().score([ScoreInput("good", (b"broken",))])


def test_scores_are_plain_json() -> None:
    [scores] = a_scorer().score([ScoreInput("good", (a_rendition(),))])

    assert msgspec.json.decode(msgspec.json.encode(scores), type=Scores) == scores


def test_cache_drops_what_was_unused_for_longest() -> None:
    features = CHECKPOINT.image_encoder.mean
    cache = FeatureCache(2)
    cache.put(b"a", features)
    cache.put(b"b", features)
    cache.get(b"a")

    cache.put(b"c", features)

    assert len(cache) == 2
    assert cache.get(b"b") is None
    assert content_key(b"x") == content_key(b"x") != content_key(b"y")


def test_embeddings_are_unit_vectors_of_what_is_there() -> None:
    both, text, image, neither = a_scorer().embed(
        [
            ScoreInput("good", (a_rendition(),)),
            ScoreInput("good"),
            ScoreInput("", (a_rendition(),)),
            ScoreInput(""),
        ]
    )

    assert both.text is not None and both.image is not None
    assert np.linalg.norm(both.text) == pytest.approx(1, abs=1e-5)
    assert text.text is not None and np.allclose(text.text, both.text, atol=1e-6)
    assert image.image is not None and np.allclose(image.image, both.image, atol=1e-6)
    assert (text.image, image.text, neither.text, neither.image) == (None,) * 4


def test_embeddings_tell_the_mismatch_of_the_scores() -> None:
    posts, scorer = many_posts(), a_scorer()
    for embedding, scores in zip(scorer.embed(posts), scorer.score(posts), strict=True):
        if embedding.text is not None and embedding.image is not None:
            expected = (1 - float(embedding.text @ embedding.image)) / 2
            assert scores.mismatch == pytest.approx(expected, abs=1e-5)
