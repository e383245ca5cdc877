"""Facts about every engine: the same bits in any company, and what torch says."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from models.checkpoint import describe_checkpoint, load_checkpoint
from models.engines.engine import Engine, Floats, Halves, Ids, Mask, Moods, Pixels
from models.engines.export import export_checkpoint
from models.engines.onnx_engine import OnnxEngine
from models.engines.torch_engine import TorchEngine
from models.scorer import ScoreInput, Scorer, Scores
from tests.models.tiny_model import a_rendition, a_saved_checkpoint, many_posts

# How far a probability may be from torch's in 32 bits; the last is a half-precision GPU's way.
TOLERANCES = {"torch fp32": 0.0, "onnx fp32": 2e-5, "onnx int8": 0.03, "torch bf16": 0.02}
Build = Callable[..., Scorer]


class Counted:
    """An engine that counts the rows it was given; it runs another one's networks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.name, self.rows, self.workers = engine.name, engine.rows, engine.workers
        self.texts = self.images = 0

    def read_texts(self, ids: Ids, mask: Mask) -> Floats:
        self.texts += len(ids)
        return self._engine.read_texts(ids, mask)

    def read_images(self, pixels: Pixels) -> Halves:
        self.images += len(pixels)
        return self._engine.read_images(pixels)

    def fuse(self, tokens: Floats, mask: Mask, patches: Halves | None) -> Moods:
        return self._engine.fuse(tokens, mask, patches)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = a_saved_checkpoint(tmp_path_factory.mktemp("model"), width=64)
    export_checkpoint(folder, folder, images=[a_rendition(red) for red in (0, 120, 240)])
    return folder


@pytest.fixture(scope="module", params=list(TOLERANCES))
def engine(request: pytest.FixtureRequest, exported: Path) -> Engine:
    kind = request.param
    if kind == "torch fp32":
        return TorchEngine(load_checkpoint(exported), device="cpu", rows=8)
    if kind == "torch bf16":
        return TorchEngine(load_checkpoint(exported), device="cpu", half=torch.bfloat16, rows=4)
    return OnnxEngine(exported, kind.removeprefix("onnx "), workers=2)


@pytest.fixture
def a_scorer(exported: Path) -> Build:
    def build(engine: Engine, cached: int = 0) -> Scorer:
        return Scorer(describe_checkpoint(exported), cached, cached, engine)

    return build


def score_in_parts(scorer: Scorer, posts: list[ScoreInput], sizes: list[int]) -> list[Scores]:
    scores: list[Scores] = []
    while len(scores) < len(posts):
        size = sizes[len(scores) % len(sizes)]
        scores += scorer.score(posts[len(scores) : len(scores) + size])
    return scores


@pytest.mark.parametrize("seed", range(3))
def test_scores_do_not_depend_on_batch_size_order_or_neighbours(
    a_scorer: Build, engine: Engine, seed: int
) -> None:
    posts, rng = many_posts(), random.Random(seed)
    together = a_scorer(engine).score(posts)
    order = rng.sample(range(len(posts)), len(posts))

    shuffled = score_in_parts(a_scorer(engine), [posts[i] for i in order], [1, 5, 2, 13, 3])

    assert shuffled == [together[index] for index in order]


def test_callers_that_share_a_scorer_get_the_same_bits(a_scorer: Build, engine: Engine) -> None:
    posts, scorer = many_posts(), a_scorer(engine)
    alone = scorer.score(posts)

    with ThreadPoolExecutor(4) as callers:
        assert list(callers.map(scorer.score, [posts] * 8)) == [alone] * 8


def test_every_engine_says_what_torch_says(
    a_scorer: Build, engine: Engine, exported: Path, request: pytest.FixtureRequest
) -> None:
    most = TOLERANCES[request.node.callspec.params["engine"]]
    theirs = Scorer(load_checkpoint(exported)).score(many_posts())

    ours = a_scorer(engine).score(many_posts())

    for one, other in zip(theirs, ours, strict=True):
        assert one.sentiment == pytest.approx(other.sentiment, abs=most + 1e-9)
        assert one.emotions == pytest.approx(other.emotions, abs=most + 1e-9)
        assert one.alpha_text == pytest.approx(other.alpha_text, abs=4 * most + 1e-9)
        assert (one.mismatch is None) == (other.mismatch is None)


def test_remembered_posts_and_images_give_the_same_bits(a_scorer: Build, engine: Engine) -> None:
    posts, remembering = many_posts(), a_scorer(engine, cached=2)
    fresh = a_scorer(engine).score(posts)

    assert remembering.score(posts) == fresh
    assert remembering.score(posts) == fresh


def test_a_repost_is_answered_without_the_networks(a_scorer: Build, engine: Engine) -> None:
    counted = Counted(engine)
    scorer, posts = a_scorer(counted, cached=64), many_posts()

    first = scorer.score([*posts, *posts])
    texts, images = counted.texts, counted.images
    again = scorer.score(posts)

    assert first == [*again, *again]
    assert (counted.texts, counted.images) == (texts, images)
    assert images == -(-3 // engine.rows) * engine.rows  # the last pass is filled up
    if engine.rows == 1:
        assert texts == len(set(posts))


def test_embeddings_have_unit_length_and_are_missing_with_their_modality(
    a_scorer: Build, engine: Engine
) -> None:
    both, text, image = a_scorer(engine).embed(
        [ScoreInput("good", (a_rendition(),)), ScoreInput("good"), ScoreInput("", (a_rendition(),))]
    )

    for row in (both.text, both.image, text.text, image.image):
        assert row is not None and row.dtype == np.float32 and row.shape == (64,)
        assert np.linalg.norm(row) == pytest.approx(1, abs=0.01)
    assert (text.image, image.text) == (None, None)
    assert both.text is not None and text.text is not None
    assert np.allclose(both.text, text.text, atol=0.02)


def test_one_thread_or_two_say_the_same_bits(exported: Path) -> None:
    one, two = (
        Scorer.load(exported, threads=threads, engine="onnx", precision="int8").score(many_posts())
        for threads in (1, 2)
    )

    assert one == two


def test_an_unreadable_image_is_an_error(a_scorer: Build, engine: Engine) -> None:
    with pytest.raises(ValueError, match="not a rendition"):
        a_scorer(engine).score([ScoreInput("good", (b"broken",))])
