from functools import cache
from pathlib import Path

import pytest

from models.labels import TWEET_EMOTIONS
from models.scorer import ScoreInput, Scorer, Scores
from models.text_preparation import prepare_text
from tests.models.tiny_model import a_rendition

FOLDER = Path(__file__).parents[2] / "models/checkpoints/default"
CARD = Path(__file__).parents[2] / "models/cards/moodwire-base.md"


@cache
def shipped() -> Scorer:
    return Scorer.load(FOLDER)


def scores_of(post: str) -> Scores:
    return shipped().score([ScoreInput(prepare_text(post))])[0]


def test_checkpoint_is_small_enough_to_ship() -> None:
    size = sum(file.stat().st_size for file in FOLDER.rglob("*"))

    assert size <= 45_000_000


def test_model_card_names_the_shipped_version() -> None:
    assert shipped().model in CARD.read_text("utf-8")


@pytest.mark.parametrize(
    ("post", "sentiment"),
    [
        ("I love this phone so much, best day ever! 😍", "positive"),
        ("Thank you @nova, wonderful support", "positive"),
        ("This is the worst service I have ever had, never again", "negative"),
        ("My battery caught fire and nobody answers. Furious. 😡", "negative"),
        ("The store opens at 9 am on Monday", "neutral"),
    ],
)
def test_obvious_sentiment_is_read(post: str, sentiment: str) -> None:
    scores = scores_of(post)

    assert max(scores.sentiment, key=scores.sentiment.__getitem__) == sentiment


@pytest.mark.parametrize(
    ("post", "emotion"),
    [
        ("I am so angry and furious right now, how dare you", "anger"),
        ("Feeling so happy today, what a joy", "joy"),
        ("So sad and heartbroken, I miss her every day", "sadness"),
    ],
)
def test_obvious_emotion_of_the_four_is_read(post: str, emotion: str) -> None:
    emotions = scores_of(post).emotions

    assert max(TWEET_EMOTIONS, key=emotions.__getitem__) == emotion


def test_insult_is_more_offensive_than_praise() -> None:
    insult, praise = scores_of("you are a stupid idiot, shut up"), scores_of("you are so kind")

    assert insult.offence > 0.5 > praise.offence


def test_image_has_a_say_in_the_shipped_model() -> None:
    [scores] = shipped().score([ScoreInput(prepare_text("look at this"), (a_rendition(),))])

    assert 0 < scores.alpha_image < 1
    assert scores.mismatch is not None


def test_shipped_model_scores_a_post_the_same_alone_and_among_others() -> None:
    posts = [ScoreInput("good " * n, (a_rendition(n),) if n % 3 == 0 else ()) for n in range(1, 25)]

    together = shipped().score(posts)

    assert [shipped().score([post])[0] for post in posts] == together
