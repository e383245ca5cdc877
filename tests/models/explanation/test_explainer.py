import numpy as np
import pytest

from models.explanation.explainer import Explainer
from models.explanation.records import Explanation
from models.explanation.words import word_spans, words_of_tokens
from models.scorer import ScoreInput, Scorer
from tests.models.tiny_model import a_checkpoint, a_rendition

CHECKPOINT = a_checkpoint()
EXPLAINER = Explainer(CHECKPOINT)
TEXT = "the phone is not very good"


def explained(text: str = TEXT, images: int = 1) -> Explanation:
    return EXPLAINER.explain(ScoreInput(text, (a_rendition(),) * images))


@pytest.mark.parametrize(("text", "images"), [(TEXT, 0), (TEXT, 1), (TEXT, 2), ("", 1)])
def test_explanation_is_of_the_reading_that_the_scorer_gives(text: str, images: int) -> None:
    item = ScoreInput(text, (a_rendition(), a_rendition(40))[:images])
    [scores] = Scorer(CHECKPOINT).score([item])

    told = EXPLAINER.explain(item)

    assert scores.sentiment[told.sentiment] == pytest.approx(scores.confidence)
    assert told.probability == pytest.approx(scores.confidence, abs=1e-4)
    assert told.alpha_text == pytest.approx(scores.alpha_text, abs=1e-4)
    assert told.mismatch == pytest.approx(scores.mismatch, abs=1e-4)


def test_shares_of_attention_add_up() -> None:
    told = explained()
    seen = np.array([word.regions for word in told.words]).sum(axis=0)

    assert sum(word.attention for word in told.words) + told.special == pytest.approx(1, abs=1e-4)
    assert np.array(told.regions).sum() == pytest.approx(1, abs=1e-4)
    assert np.array(told.regions_seen_by_text).sum() == pytest.approx(1, abs=1e-4)
    assert seen.sum() == pytest.approx(1 - told.special, abs=1e-3)
    assert all(word.from_image is not None and word.from_image > 0 for word in told.words)


def test_contributions_add_up_to_the_change_from_blank_words() -> None:
    told = explained()

    assert told.completeness is not None
    total = sum(word.contribution for word in told.words)
    assert abs(told.completeness.difference) > 1e-3
    assert total == pytest.approx(told.completeness.difference, abs=told.completeness.gap + 1e-4)


def test_words_stand_where_they_are_in_the_text() -> None:
    told = explained("good  phone!")

    assert [told.text[word.start : word.end] for word in told.words] == ["good", "phone!"]


def test_words_beyond_what_the_model_reads_have_no_share() -> None:
    told = explained(" ".join(["good"] * 60), images=0)

    assert told.words[5].attention > 0
    assert (told.words[50].attention, told.words[50].contribution) == (0, 0)


def test_text_alone_says_nothing_of_an_image() -> None:
    told = explained(images=0)

    assert (told.alpha_text, told.cosine, told.mismatch, told.regions) == (1, None, None, None)
    assert all(word.from_image is None and word.regions is None for word in told.words)


def test_image_alone_says_nothing_of_words() -> None:
    told = explained("")

    assert (told.alpha_image, told.words, told.special, told.completeness) == (1, (), 0, None)
    assert told.regions is not None
    assert told.regions_seen_by_text is None


def test_without_contributions_the_rest_is_the_same() -> None:
    told = explained()
    quick = EXPLAINER.explain(ScoreInput(TEXT, (a_rendition(),)), with_contributions=False)

    assert quick.completeness is None
    assert quick.regions == told.regions
    assert [one.attention for one in quick.words] == [one.attention for one in told.words]


def test_top_words_are_those_that_moved_most_either_way() -> None:
    moves = [abs(word.contribution) for word in explained().top_words(3)]

    assert moves == sorted(moves, reverse=True)
    assert min(moves) >= sorted(abs(w.contribution) for w in explained().words)[-3]


def test_token_that_starts_with_the_space_belongs_to_the_word_behind_it() -> None:
    # byte-level vocabularies: "so", " good" with offsets (2, 7)
    assert words_of_tokens(word_spans("so good"), [(0, 2), (2, 7)]) == [0, 1]
