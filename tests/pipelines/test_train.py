import builtins
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines.command_line import MISUSED, OK, main
from tests.models.training.small_data import small_data, small_settings, small_text_model


def a_command(folder: Path, *more: str, **changes: Any) -> list[str]:
    small_text_model(folder / "text-model")
    only_texts = {"image_encoder": None, "align": None, "fusion": None}
    config = small_settings(folder, **{**only_texts, **changes})
    data = small_data(folder / "data", rows=12, pairs=3)
    output = str(folder / "out")
    return ["train", "--config", str(config), "--data", str(data), "--output", output, *more]


def test_train_says_where_the_checkpoint_is_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = a_command(tmp_path, "--threads", "1")

    assert main(command) == OK
    first = capsys.readouterr().out
    assert main(command) == OK
    again = capsys.readouterr().out
    assert main([*command, "--no-resume"]) == OK
    anew = capsys.readouterr().out

    assert "out/checkpoint" in first.replace("\n", "")
    assert "text round 2/2" in first and "text round" not in again
    assert "text round 2/2" in anew


def test_a_wrong_setting_is_one_line_with_a_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(a_command(tmp_path, text={"epochs": -1})) == MISUSED

    *_, said = capsys.readouterr().err.partition("moodwire: ")
    assert "text.epochs: Expected `float` > 0" in said.replace("\n", " ")


def test_missing_data_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = a_command(tmp_path)
    (tmp_path / "data/text/sentiment/train.jsonl.gz").unlink()

    assert main(command) == MISUSED
    assert "train.jsonl.gz" in capsys.readouterr().err.replace("\n", "")


def test_without_the_training_code_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command, genuine = a_command(tmp_path), builtins.__import__

    def without_training(name: str, *arguments: Any, **named: Any) -> Any:
        if name.startswith("models.training"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return genuine(name, *arguments, **named)

    for module in [name for name in sys.modules if name.startswith("models.training")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(builtins, "__import__", without_training)

    assert main(command) == MISUSED
    assert "pip install -e '.[train]'" in capsys.readouterr().err.replace("\n", " ")
