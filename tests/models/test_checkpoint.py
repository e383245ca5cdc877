import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from models.checkpoint import CheckpointError, load_checkpoint
from models.quantisation import dequantise, pack, quantise, unpack
from models.scorer import ScoreInput, Scorer
from tests.models.tiny_model import a_checkpoint, a_rendition, a_saved_checkpoint

POSTS = [ScoreInput("good phone"), ScoreInput("very bad", (a_rendition(),))]


def test_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    folder = a_saved_checkpoint(tmp_path)

    first, again = load_checkpoint(folder), load_checkpoint(folder)

    assert first.version == "tiny-1"
    assert first.calibration == a_checkpoint().calibration
    assert first.mood.config == a_checkpoint().mood.config
    assert Scorer(first).score(POSTS) == Scorer(again).score(POSTS)


def test_rounded_weights_say_nearly_the_same(tmp_path: Path) -> None:
    whole = a_checkpoint()
    for part in (whole.text_encoder, whole.image_encoder, whole.mood):
        part.eval()

    loaded = Scorer.load(a_saved_checkpoint(tmp_path)).score(POSTS)

    for exact, rounded in zip(Scorer(whole).score(POSTS), loaded, strict=True):
        assert rounded.sentiment == pytest.approx(exact.sentiment, abs=0.02)


def test_a_moved_folder_needs_nothing_else(tmp_path: Path) -> None:
    folder = a_saved_checkpoint(tmp_path / "here")
    moved = folder.rename(tmp_path / "there")

    assert Scorer.load(moved).model == "tiny-1"
    assert str(tmp_path) not in (moved / "config.json").read_text("utf-8")


@pytest.mark.parametrize("name", ["config.json", "weights.safetensors", "tokenizer.json"])
def test_missing_file_is_named_with_a_remedy(tmp_path: Path, name: str) -> None:
    folder = a_saved_checkpoint(tmp_path)
    (folder / name).unlink()

    with pytest.raises(CheckpointError, match=rf"{name} is missing; name a folder that"):
        load_checkpoint(folder)


@pytest.mark.parametrize("name", ["config.json", "weights.safetensors", "tokenizer.json"])
def test_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    folder = a_saved_checkpoint(tmp_path)
    file = folder / name
    file.write_bytes(file.read_bytes()[:100])

    with pytest.raises(CheckpointError, match=name):
        load_checkpoint(folder)


def _of_the_future(config: dict[str, object]) -> None:
    config["format"] = 99


def _with_other_labels(config: dict[str, object]) -> None:
    config["labels"] = {"sentiment": ["bad", "good"], "emotions": []}


def _without_the_mood(config: dict[str, object]) -> None:
    del config["mood"]


def _without_a_temperature(config: dict[str, object]) -> None:
    config["calibration"] = {"temperatures": {"sentiment": 1.0}, "abstain_below": 0.0}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (_of_the_future, "has format 99, this version reads 1"),
        (_with_other_labels, "lists other labels"),
        (_without_the_mood, "mood"),
        (_without_a_temperature, "calibration.temperatures"),
    ],
)
def test_wrong_configuration_is_explained(
    tmp_path: Path, change: Callable[[dict[str, object]], None], problem: str
) -> None:
    file = a_saved_checkpoint(tmp_path) / "config.json"
    config = json.loads(file.read_text("utf-8"))
    change(config)
    file.write_text(json.dumps(config), "utf-8")

    with pytest.raises(CheckpointError, match=problem):
        load_checkpoint(tmp_path)


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    file = a_saved_checkpoint(tmp_path) / "config.json"
    config = json.loads(file.read_text("utf-8"))
    config["mood"]["joint_width"] = 64
    file.write_text(json.dumps(config), "utf-8")

    with pytest.raises(CheckpointError, match=r"weights\.safetensors does not fit"):
        load_checkpoint(tmp_path)


def test_eight_bits_by_hand() -> None:
    # scale = 127 / 127 = 1 and 0.5 / 127; each row's largest value becomes 127
    quantised, scale = quantise(torch.tensor([[127.0, -63.6], [0.5, -0.25]]))

    assert quantised.tolist() == [[127, -64], [127, -64]] or quantised.tolist() == [
        [127, -64],
        [127, -63],
    ]
    assert scale.tolist() == pytest.approx([1.0, 0.5 / 127], rel=1e-3)


def test_eight_bits_lose_at_most_half_a_step() -> None:
    weight = torch.randn(8, 32)
    quantised, scale = quantise(weight)

    error = (dequantise(quantised, scale) - weight).abs()

    assert (error <= 0.501 * scale.float()[:, None]).all()


def test_small_tensors_keep_sixteen_bits() -> None:
    state = {
        "bias": torch.randn(5),
        "matrix": torch.randn(64, 64),
        "head.weight": torch.ones(64, 64),
    }

    packed = pack(state, full=("head",))

    assert packed["matrix"].dtype == torch.int8
    assert packed["head.weight"].dtype == packed["bias"].dtype == torch.float16
    assert unpack(packed).keys() == state.keys()
