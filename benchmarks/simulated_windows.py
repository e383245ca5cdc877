"""Windows of posts drawn from a population whose moods are known, with voices that repeat."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.detection.statistics import micro
from schemas.emotions import GROUPS
from transforms.samples import Sample

Floats = NDArray[np.float64]

# Where calibrated heads put posts: rare emotions near nothing, with a long tail.
LOGITS = {
    "anger": -2.5,
    "disgust": -3.5,
    "fear": -3.0,
    "joy": -0.8,
    "sadness": -2.5,
    "surprise": -2.2,
    "neutral": 0.3,
}
SPREAD = 1.2  # of logits
NEGATIVE_BELOW = -0.7  # a quarter of the posts
WIDTH = len(GROUPS) + 2  # latent valence, its clarity, emotions
DRAWN_FOR_TRUTH = 1_000_000
NAMES = ("share negative", "valence", *GROUPS)


class Crowd(NamedTuple):
    """Who posts in a window.

    `reposts` is the chance that a post repeats an earlier one, any of them alike, so that what was
    shared much is shared more; `alike` the share of a mood's variance that lies between authors;
    `shouted` the share of posts by one author; `unclear` how near to zero a valence must be for
    the model to abstain.
    """

    name: str
    posts: int
    authors: int
    reposts: float = 0.0
    alike: float = 0.0
    shouted: float = 0.0
    unclear: float = 0.0


CROWDS = (
    Crowd("30 strangers", 30, 100_000),
    Crowd("100 strangers", 100, 100_000),
    Crowd("100 strangers, a quarter abstained", 100, 100_000, unclear=0.36),
    Crowd("100 posts, a third reposts", 100, 100_000, reposts=0.33, unclear=0.36),
    Crowd("100 posts by 40 authors", 100, 40, alike=0.3, unclear=0.36),
    Crowd("100 posts, every fifth by one author", 100, 400, alike=0.5, shouted=0.2, unclear=0.36),
    Crowd("200 posts, all of this", 200, 100, 0.25, 0.3, 0.1, 0.36),
    Crowd("1,000 posts, half reposts", 1000, 600, reposts=0.5, alike=0.3, unclear=0.36),
)


def moods_of(latent: Floats) -> Floats:
    """(posts, `WIDTH`) latent normals -> (posts, `NAMES`) values as a model would tell them."""
    negative = latent[:, 0] < NEGATIVE_BELOW
    valence = np.tanh(0.9 * latent[:, 0] + 0.1)
    centres = np.array([LOGITS[group] for group in GROUPS])
    emotions = 1 / (1 + np.exp(-(centres + SPREAD * latent[:, 2:])))
    return np.column_stack([negative, valence, emotions])


def is_abstained(latent: Floats, unclear: float) -> NDArray[np.bool_]:
    """Which posts the model does not decide on: those of unclear valence."""
    return np.abs(latent[:, 0] + 0.5 * latent[:, 1]) < unclear


@cache
def truth_of(unclear: float) -> tuple[float, ...]:
    """The mean of each of `NAMES` over the posts that are decided on, of all people."""
    latent = np.random.default_rng(1).standard_normal((DRAWN_FOR_TRUTH, WIDTH))
    decided = ~is_abstained(latent, unclear)
    return tuple(float(mean) for mean in moods_of(latent[decided]).mean(axis=0))


def draw_window(crowd: Crowd, rng: np.random.Generator) -> Iterator[Sample]:
    """The samples of one window."""
    latent, authors, texts = _draw_posts(crowd, rng)
    values, abstained = moods_of(latent), is_abstained(latent, crowd.unclear)
    for author, text, row, silent in zip(authors, texts, values, abstained, strict=True):
        yield Sample(
            author=f"author-{author}",
            cluster=f"text-{text}",
            model="simulated",
            reach=0,
            abstained=bool(silent),
            negative=bool(row[0]),
            valence=micro(float(row[1])),
            mood=tuple(micro(float(value)) for value in row[2:]),
            has_image=False,
            image_weight=0,
        )


def _draw_posts(crowd: Crowd, rng: np.random.Generator) -> tuple[Floats, list[int], list[int]]:
    """Latent moods of the posts, their authors, and which post each one's text comes from."""
    authors = rng.integers(1, crowd.authors + 1, crowd.posts)
    authors[rng.random(crowd.posts) < crowd.shouted] = 0
    of_author = rng.standard_normal((crowd.authors + 1, WIDTH)) if crowd.alike else np.zeros((1, 1))
    shared = of_author[authors] if crowd.alike else 0.0
    own = rng.standard_normal((crowd.posts, WIDTH))
    latent = math.sqrt(crowd.alike) * shared + math.sqrt(1 - crowd.alike) * own
    texts = list(range(crowd.posts))
    for number in range(1, crowd.posts):
        if rng.random() < crowd.reposts:
            texts[number] = texts[int(rng.integers(0, number))]
    return latent[texts], [int(author) for author in authors], texts
