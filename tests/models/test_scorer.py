from pathlib import Path

import msgspec
import numpy as np
import pytest

from models.checkpoint import describe_checkpoint
from models.content_cache import ContentCache, content_key
from models.labels import EMOTIONS, SENTIMENTS
from models.scorer import ScoreInput, Scorer, Scores
from tests.models.tiny_model import a_checkpoint, a_rendition, a_saved_checkpoint, many_posts

CHECKPOINT = a_checkpoint()


def a_scorer(cached_images: int = 16) -> Scorer:
    for part in (CHECKPOINT.text_encoder, CHECKPOINT.image_encoder, CHECKPOINT.mood):
        part.eval()
    return Scorer(CHECKPOINT, cached_images)


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


def test_post_longer_than_the_model_reads_is_cut() -> None:
    long, longer = a_scorer().score([ScoreInput("good " * 40), ScoreInput("good " * 400)])

    assert long == longer


def test_scores_are_plain_json() -> None:
    [scores] = a_scorer().score([ScoreInput("good", (a_rendition(),))])

    assert msgspec.json.decode(msgspec.json.encode(scores), type=Scores) == scores


def test_scores_need_networks(tmp_path: Path) -> None:
    described = describe_checkpoint(a_saved_checkpoint(tmp_path))

    with pytest.raises(TypeError, match="give an engine too"):
        Scorer(described)


def test_cache_drops_what_was_unused_for_longest() -> None:
    cache: ContentCache[int] = ContentCache(2)
    cache.put(b"a", 1)
    cache.put(b"b", 2)
    cache.get(b"a")

    cache.put(b"c", 3)

    assert len(cache) == 2
    assert (cache.get(b"a"), cache.get(b"b"), cache.get(b"c")) == (1, None, 3)


def test_cache_of_no_capacity_keeps_nothing() -> None:
    cache: ContentCache[int] = ContentCache(0)

    cache.put(b"a", 1)

    assert (len(cache), cache.get(b"a")) == (0, None)


def test_content_keys_tell_contents_apart() -> None:
    assert content_key(b"x") == content_key(b"x") != content_key(b"y")
    assert content_key(b"a", b"bc") != content_key(b"ab", b"c")


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
