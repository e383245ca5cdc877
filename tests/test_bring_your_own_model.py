"""The guide's commands work, on tiny models in the place of the reader's."""

import json
import shlex
from pathlib import Path

import pytest
import timm
import torch

from models.scorer import Scorer
from pipelines.command_line import main
from tests.models.training.small_data import small_data, small_text_model
from tests.test_readme import typed_commands

GUIDE = "docs/bring-your-own-model.md"


def an_image_model(folder: Path) -> None:
    """A folder as timm writes it for the hub."""
    torch.manual_seed(0)
    model = timm.create_model("test_efficientnet", pretrained=False)
    timm.models.save_for_hf(model, str(folder), safe_serialization=True)


def test_the_guide_runs_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    small_text_model(tmp_path / "my-encoder")
    an_image_model(tmp_path / "my-image-encoder")
    small_data(tmp_path / "my-data", rows=12, pairs=6)
    post = {"post_id": "1", "text": "a very good phone"}
    (tmp_path / "posts.jsonl").write_text(json.dumps(post) + "\n", encoding="utf-8")
    ran = []

    for command, shown in typed_commands(GUIDE):
        program, *arguments = shlex.split(command)
        assert program in {"cat", "moodwire"}
        if program == "cat":
            Path(arguments[0]).write_text(shown, encoding="utf-8")
        else:
            assert main(arguments) == 0, command
            ran.append(arguments[0])

    assert ran.count("train") == 4
    readings = (tmp_path / "readings.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["model"] for line in readings] == ["my-model-2"]
    for folder in tmp_path.glob("*-run/checkpoint"):
        assert str(tmp_path) not in (folder / "config.json").read_text("utf-8")
        assert Scorer.load(folder).model.startswith("my-")
