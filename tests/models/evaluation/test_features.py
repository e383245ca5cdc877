from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from models.checkpoint import Checkpoint
from models.evaluation.features import PairFeatures, encode_texts, pair_features
from models.evaluation.fusion_head import fusion_head, untrained_fusion
from models.evaluation.labelled import load_pairs
from models.evaluation.pairs import PooledRun
from models.labels import HEADS
from models.scorer import ScoreInput, Scorer
from models.training.answers import softmax_logits
from tests.models.evaluation.labelled_posts import some_labelled_posts
from tests.models.tiny_model import a_checkpoint


def a_model() -> Checkpoint:
    """A tiny checkpoint, ready to read."""
    checkpoint = a_checkpoint()
    for part in (checkpoint.text_encoder, checkpoint.image_encoder, checkpoint.mood):
        part.eval().requires_grad_(False)
    return checkpoint


def some_features(folder: Path, rows: int = 40) -> PairFeatures:
    pairs = load_pairs(some_labelled_posts(folder / "data", rows), "validation")
    return pair_features(a_model(), pairs, folder / "kept.pt", "key", lambda *_: None)


def test_text_vectors_are_those_that_serving_reads_its_answers_from() -> None:
    checkpoint = a_model()
    texts = ["good phone", "bad", "the phone is very very good"]

    _, vectors = encode_texts(checkpoint, texts)

    served = Scorer(checkpoint).score([ScoreInput(text) for text in texts])
    probabilities = np.array([list(one.sentiment.values()) for one in served])
    logits = checkpoint.mood.heads["sentiment"](vectors).numpy()
    expected = softmax_logits(probabilities, checkpoint.calibration.temperatures["sentiment"])
    np.testing.assert_allclose(
        logits - logits.mean(axis=1, keepdims=True),
        expected - expected.mean(axis=1, keepdims=True),
        atol=1e-4,
    )


def test_features_are_kept_until_the_model_or_the_pairs_change(tmp_path: Path) -> None:
    first = some_features(tmp_path)
    pairs = load_pairs(tmp_path / "data", "validation")
    encoded: list[str] = []

    def read(key: str, limit: int) -> PairFeatures:
        part = load_pairs(tmp_path / "data", "validation", limit)
        return pair_features(
            a_model(), part, tmp_path / "kept.pt", key, lambda what, *_: encoded.append(what)
        )

    again = read("key", len(pairs))
    assert not encoded and torch.equal(first.patches, again.patches)
    assert len(read("key", 20)) == 20 and encoded
    encoded.clear()
    read("another model", 20)
    assert encoded


def test_an_image_that_was_replaced_is_encoded_anew_whatever_its_size(tmp_path: Path) -> None:
    first = some_features(tmp_path)
    [image, other] = load_pairs(tmp_path / "data", "validation").images[:2]
    replaced = other.read_bytes()
    size = max(len(replaced), image.stat().st_size)
    for file, content in ((other, replaced), (image, image.read_bytes())):
        file.write_bytes(content.ljust(size, b"\0"))  # what follows a picture is not read
    pairs = load_pairs(tmp_path / "data", "validation")

    def read() -> PairFeatures:
        return pair_features(a_model(), pairs, tmp_path / "kept.pt", "key", lambda *_: None)

    before = read()
    image.write_bytes(replaced.ljust(size, b"\0"))

    assert torch.equal(before.patches, first.patches)
    assert torch.equal(read().patches[0], first.patches[1])


def test_folds_that_were_kept_are_of_the_same_labels(tmp_path: Path) -> None:
    features = some_features(tmp_path)
    run = PooledRun(0, tmp_path, lambda *_: None)
    corrected = features.labels.copy()
    corrected[0] = (corrected[0] + 1) % 3

    kept = run.folder(features, "text")

    assert run.folder(replace(features), "text") == kept
    assert run.folder(replace(features, labels=corrected), "text") != kept


def test_fusion_of_a_fold_starts_without_what_the_checkpoint_learnt_from_pairs() -> None:
    trained = a_model().mood

    fresh = untrained_fusion(trained)

    tokens, mask = torch.randn(2, 4, trained.config.text_width), torch.ones(2, 4).bool()
    alone, before = fresh.eval()(tokens, mask).logits, trained(tokens, mask).logits
    assert all(torch.equal(alone[head], before[head]) for head in HEADS)
    assert not torch.equal(fresh.image.project.weight, trained.image.project.weight)
    assert fresh.fusion.bilinear is not None and trained.fusion.bilinear is not None
    assert not torch.equal(fresh.fusion.bilinear.weight, trained.fusion.bilinear.weight)


def test_fusion_head_reads_rows_it_was_not_fitted_on_and_again_the_same(tmp_path: Path) -> None:
    features = some_features(tmp_path)
    head = fusion_head(a_model(), features, seed=0)

    found = head(np.arange(30), np.arange(30, 40))

    assert found.shape == (10, 3)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_array_equal(found, head(np.arange(30), np.arange(30, 40)))


def test_no_pair_of_the_control_keeps_its_image(tmp_path: Path) -> None:
    features = some_features(tmp_path)

    control = features.with_other_images(seed=0)

    same = (control.patches == features.patches).flatten(1).all(dim=1)
    assert not same.any()
    assert sorted(map(bytes, control.patches.numpy())) == sorted(
        map(bytes, features.patches.numpy())
    )
    assert control.tokens is features.tokens and control.key != features.key
