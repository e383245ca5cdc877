import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from models.scorer import ScoreInput, Scorer
from models.training.data import TrainingDataError
from models.training.settings import TrainingSettingsError
from models.training.train import Order, train
from tests.models.tiny_model import a_rendition, a_saved_checkpoint
from tests.models.training.small_data import small_data, small_settings, small_text_model


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    small_data(folder / "data")
    small_text_model(folder / "text-model")
    return folder


def run(world: Path, output: Path, stage: str = "all", **changes: Any) -> Path:
    """Trains in the small world."""
    output.mkdir(parents=True, exist_ok=True)
    config = small_settings(output, **{"text_encoder": str(world / "text-model"), **changes})
    return train(Order(config, world / "data", output, stage, threads=1))


def test_all_stages_end_in_a_checkpoint_that_scores(world: Path, tmp_path: Path) -> None:
    folder = run(world, tmp_path, pair_path=True)

    scorer = Scorer.load(folder)
    text, pair = scorer.score([ScoreInput("good"), ScoreInput("good", (a_rendition(),))])

    assert scorer.model == "small-1"
    assert (text.alpha_image, text.mismatch) == (0.0, None)
    assert 0 < pair.alpha_image < 1
    assert pair.sentiment != text.sentiment


def test_stages_one_by_one_end_in_the_same_weights(world: Path, tmp_path: Path) -> None:
    whole = run(world, tmp_path / "whole")

    run(world, tmp_path / "parts", "text")
    run(world, tmp_path / "parts", "align")
    parts = run(world, tmp_path / "parts", "fusion")

    one, other = (load_file(folder / "weights.safetensors") for folder in (whole, parts))
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_model_of_texts_alone_treats_an_image_as_missing(world: Path, tmp_path: Path) -> None:
    folder = run(world, tmp_path, image_encoder=None, align=None, fusion=None)

    text, pair = Scorer.load(folder).score(
        [ScoreInput("very good"), ScoreInput("very good", (a_rendition(),))]
    )

    assert (pair.alpha_text, pair.mismatch) == (1.0, 0.5)
    assert pair.sentiment == pytest.approx(text.sentiment, abs=1e-5)
    assert pair.emotions == pytest.approx(text.emotions, abs=1e-5)


def test_until_the_fusion_is_trained_images_are_not_read(world: Path, tmp_path: Path) -> None:
    config = json.loads((run(world, tmp_path, "text") / "config.json").read_text("utf-8"))
    assert config["mood"]["reads_images"] is False

    config = json.loads((run(world, tmp_path) / "config.json").read_text("utf-8"))
    assert config["mood"]["reads_images"] is True


def test_what_teachers_say_is_learnt_and_is_asked_once(world: Path, tmp_path: Path) -> None:
    changes: dict[str, Any] = {"image_encoder": None, "align": None, "fusion": None}
    alone = run(world, tmp_path / "alone", **changes)
    taught = run(world, tmp_path / "taught", text={"teachers": 2}, **changes)
    said = tmp_path / "taught" / "text-teacher-1-answers.pt"
    weights, written = load_file(taught / "weights.safetensors"), said.stat().st_mtime_ns
    (tmp_path / "taught" / "text.pt").unlink()

    again = run(world, tmp_path / "taught", text={"teachers": 2}, **changes)

    repeated = load_file(again / "weights.safetensors")
    plain = load_file(alone / "weights.safetensors")
    assert all(torch.equal(weights[name], repeated[name]) for name in weights)
    assert any(not torch.equal(weights[name], plain[name]) for name in weights)
    assert said.stat().st_mtime_ns == written


def test_labels_that_were_corrected_are_not_passed_over(tmp_path: Path) -> None:
    data = small_data(tmp_path / "data", rows=12, pairs=6)
    small_text_model(tmp_path / "text-model")
    run(tmp_path, tmp_path / "out", align=None, fusion=None)
    file = data / "text/sentiment/train.jsonl.gz"
    rows = gzip.decompress(file.read_bytes()).decode()
    file.write_bytes(gzip.compress(rows.replace("positive", "neutral").encode()))

    with pytest.raises(TrainingSettingsError, match=r"text\.pt is of a run with other .* data"):
        run(tmp_path, tmp_path / "out", align=None, fusion=None)


def test_adapters_leave_an_encoder_of_the_usual_form(world: Path, tmp_path: Path) -> None:
    changes: dict[str, Any] = {"image_encoder": None, "align": None, "fusion": None}
    plain = run(world, tmp_path / "plain", **changes)
    adapted = run(world, tmp_path / "adapted", text={"adapters": {"rank": 2}}, **changes)

    one, other = (load_file(folder / "weights.safetensors") for folder in (plain, adapted))

    assert one.keys() == other.keys()


def test_a_trained_model_is_trained_further(world: Path, tmp_path: Path) -> None:
    start = a_saved_checkpoint(tmp_path / "start")
    before = load_file(start / "weights.safetensors")

    text = {"epochs": 0.1, "rounds": 1, "learning_rate": 1e-9, "encoder_learning_rate": 1e-9}
    folder = run(world, tmp_path / "out", start_from=str(start), text=text, align=None, fusion=None)

    after = load_file(folder / "weights.safetensors")
    assert after.keys() == before.keys()
    same = sum(torch.allclose(after[name].float(), before[name].float()) for name in after)
    assert same / len(after) > 0.9  # nearly nothing was learnt, so all is as it was


def test_a_model_without_a_path_for_pairs_gets_one(world: Path, tmp_path: Path) -> None:
    start = a_saved_checkpoint(tmp_path / "start")

    folder = run(world, tmp_path / "out", start_from=str(start), pair_path=True)

    text, pair = Scorer.load(folder).score(
        [ScoreInput("good"), ScoreInput("good", (a_rendition(),))]
    )
    assert json.loads((folder / "config.json").read_text("utf-8"))["mood"]["pair_path"] is True
    assert text.sentiment != pair.sentiment


@pytest.mark.parametrize(
    ("changes", "stage", "problem"),
    [
        ({"text_encoder": "/nowhere/at-all"}, "all", "text_encoder: '/nowhere/at-all' cannot be"),
        ({"image_encoder": "nonet"}, "all", "image_encoder: 'nonet' cannot be loaded"),
        ({"align": None}, "align", "--stage align: the settings have no section `align`; they"),
        ({"text": {"max_tokens": 16}, "align": {"train_image_from": "x"}}, "all", "has no 'x'"),
    ],
)
def test_what_cannot_be_trained_is_explained(
    world: Path, tmp_path: Path, changes: dict[str, Any], stage: str, problem: str
) -> None:
    with pytest.raises(TrainingSettingsError, match=problem):
        run(world, tmp_path, stage, **changes)


def test_missing_data_is_named(world: Path, tmp_path: Path) -> None:
    data = small_data(tmp_path / "data")
    (data / "text/irony/train.jsonl.gz").unlink()
    config = small_settings(tmp_path, text_encoder=str(world / "text-model"))

    with pytest.raises(TrainingDataError, match=r"irony/train\.jsonl\.gz: No such file"):
        train(Order(config, data, tmp_path / "out"))
    with pytest.raises(TrainingDataError, match=r"--data .*nowhere: no such folder"):
        train(Order(config, tmp_path / "nowhere", tmp_path / "out"))
