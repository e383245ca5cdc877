from pathlib import Path

import numpy as np
import pytest
import torch

from models.checkpoint import DEFAULT_CHECKPOINT, WEIGHTS_FILE, CheckpointError
from models.explanation.annotator import ANNOTATOR_FILE, TOLD_FROM, Annotator
from models.explanation.explainer import Explainer
from models.scorer import ScoreInput
from tests.models.tiny_model import a_checkpoint, a_rendition, a_saved_checkpoint

WORDS = ("boat", "", "beach", "clock")


def an_annotator(words: tuple[str, ...] = WORDS, width: int = 6, seed: int = 0) -> Annotator:
    torch.manual_seed(seed)
    return Annotator(words, torch.randn(len(words), width), torch.randn(len(words)))


def patches_of(annotator: Annotator, index: int, strength: float = 8.0) -> torch.Tensor:
    """Nine patches of which the last looks like one class alone and the others like nothing."""
    patches = torch.zeros(9, annotator.weight.shape[1])
    wanted = torch.zeros(len(annotator.words))
    wanted[index] = 9 * strength
    patches[8] = torch.linalg.pinv(annotator.weight) @ wanted
    return patches


def test_words_come_with_the_probability_among_all_classes() -> None:
    annotator, patches = an_annotator(), torch.randn(9, 6)
    scores = patches.mean(dim=0) @ annotator.weight.T + annotator.bias
    wanted = {
        word: float(share)
        for word, share in zip(WORDS, scores.softmax(dim=0), strict=True)
        if word and share >= TOLD_FROM
    }

    told = annotator(patches)

    assert {one.word: one.probability for one in told} == pytest.approx(wanted, abs=1e-5)
    assert [one.probability for one in told] == sorted(
        (one.probability for one in told), reverse=True
    )


def test_a_class_without_a_word_takes_its_probability_and_is_not_told() -> None:
    annotator = an_annotator()

    assert annotator(patches_of(annotator, 1)) == ()


def test_an_unsure_annotator_says_nothing() -> None:
    annotator = Annotator([f"word {n}" for n in range(50)], torch.zeros(50, 6), torch.zeros(50))

    assert annotator(torch.randn(9, 6)) == ()


def test_the_map_points_at_the_patch_that_made_the_word() -> None:
    annotator = an_annotator()

    first = annotator(patches_of(annotator, 0))[0]

    assert first.word == "boat"
    assert np.array(first.regions).sum() == pytest.approx(1, abs=1e-4)
    assert np.array(first.regions)[2, 2] == pytest.approx(1, abs=1e-4)


def test_a_checkpoint_keeps_its_annotator_for_all_who_may_read_it(tmp_path: Path) -> None:
    folder = a_saved_checkpoint(tmp_path)
    words = tuple(f"word {n}" for n in range(100))
    wide = an_annotator(words, width=64)  # kept in 8 bits

    wide.save(folder)
    found = Annotator.load(folder)

    assert found is not None
    assert found.words == words
    torch.testing.assert_close(found.weight, wide.weight, atol=0.02, rtol=0)
    modes = {(folder / name).stat().st_mode for name in (ANNOTATOR_FILE, WEIGHTS_FILE)}
    assert modes == {(folder / "config.json").stat().st_mode}


def test_a_checkpoint_without_one_has_none_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    assert Annotator.load(tmp_path) is None

    (tmp_path / ANNOTATOR_FILE).write_bytes(b"not weights")

    with pytest.raises(CheckpointError, match=r"annotator\.safetensors is damaged"):
        Annotator.load(tmp_path)


def test_an_explanation_tells_of_each_picture(tmp_path: Path) -> None:
    checkpoint = a_checkpoint()
    annotator = Annotator(["boat"], torch.zeros(1, checkpoint.image_encoder.width), torch.zeros(1))
    explainer, alone = Explainer(checkpoint, annotator), Explainer(checkpoint)
    pair = ScoreInput("good", (a_rendition(), a_rendition(40)))

    assert [[one.word for one in shows] for shows in explainer.explain(pair).shows] == [
        ["boat"],
        ["boat"],
    ]
    assert explainer.explain(ScoreInput("good")).shows == alone.explain(pair).shows == ()


def test_the_shipped_words_are_of_things_and_not_of_people() -> None:
    annotator = Annotator.load(DEFAULT_CHECKPOINT)

    assert annotator is not None
    told = set(annotator.words) - {""}
    assert {"seashore", "scoreboard", "ambulance"} <= told
    assert not {"groom", "scuba diver", "brassiere", "lab coat"} & told
