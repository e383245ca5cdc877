"""Posts for benchmarks of the model: prepared texts and renditions, so many of them reposts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from benchmarks.demo_stream import DEMO
from models.evaluation.features import rendition
from models.scorer import ScoreInput
from models.text_preparation import prepare_text
from models.training.data import read_rows
from pipelines.score import prepare_lines
from schemas.records import Post
from transforms.readings import score_input

IMAGE_SHARE = 0.25  # of the posts of labelled data; the demo's posts have the images they have


def read_posts(data: Path | None, count: int) -> list[ScoreInput]:
    """Different posts, no image twice where `data` (with text/ and pairs/) is given.

    Without data the demo's day is read, whose posts share thirty images.

    Raises:
        ValueError: there are fewer.
    """
    posts = list(islice(_unique(_labelled(data, count) if data else _demo()), count))
    if len(posts) < count:
        raise ValueError(f"--posts {count}: only {len(posts)} different ones are there")
    return posts


def with_reposts(posts: list[ScoreInput], share: float, seed: int = 1) -> list[ScoreInput]:
    """As many posts, of which about `share` repeat an earlier one.

    >>> posts = [ScoreInput(str(n)) for n in range(1000)]
    >>> round(1 - len(set(with_reposts(posts, 0.3))) / 1000, 1)
    0.3
    """
    rng, fresh = random.Random(seed), iter(posts)
    played = [next(fresh)]
    while len(played) < len(posts):
        played.append(rng.choice(played) if rng.random() < share else next(fresh))
    return played


def _unique(posts: Iterator[ScoreInput]) -> Iterator[ScoreInput]:
    seen: set[str] = set()
    for post in posts:
        if post.text not in seen:
            seen.add(post.text)
            yield post


def _demo() -> Iterator[ScoreInput]:
    for post in prepare_lines((str(DEMO / "posts.jsonl.gz"),)):
        if isinstance(post, Post):
            yield score_input(post)


def _labelled(data: Path, count: int) -> Iterator[ScoreInput]:
    """Tweets without and with images in turn, shuffled the same way each time."""
    texts = read_rows(data / "text/sentiment/validation.jsonl.gz")
    pairs = read_rows(data / "pairs/mvsa_single/train.jsonl.gz")
    pictured = round(count * IMAGE_SHARE)
    rng = random.Random(0)
    chosen = [*rng.sample(texts, count - pictured + 20), *rng.sample(pairs, pictured)]
    rng.shuffle(chosen)
    for row in chosen:
        files = [data / "pairs/mvsa_single" / row["image"]] if "image" in row else []
        yield ScoreInput(prepare_text(row["text"]), tuple(map(rendition, files)))
