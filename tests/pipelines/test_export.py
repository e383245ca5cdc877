"""`moodwire export`: a folder that serves without torch, or one line that says what is wrong."""

from pathlib import Path

import pytest

from models.engines.export import graph_names
from models.scorer import Scorer
from pipelines.command_line import MISUSED, OK, main
from tests.models.tiny_model import a_rendition, a_saved_checkpoint


def test_a_checkpoint_is_exported_in_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = a_saved_checkpoint(tmp_path / "model")

    assert main(["export", "--checkpoint", str(folder)]) == OK

    assert {file.name for file in folder.glob("*.onnx")} == set(graph_names(("fp32", "int8")))
    assert "checked against torch" in capsys.readouterr().out
    assert Scorer.load(folder, engine="onnx").engine.startswith("onnx")


def test_one_precision_elsewhere(tmp_path: Path) -> None:
    folder = a_saved_checkpoint(tmp_path / "model")
    output = tmp_path / "served"

    code = main(
        ["export", "--checkpoint", str(folder), "--output", str(output), "--precision", "fp32"]
    )

    assert code == OK
    assert {file.name for file in output.glob("*.onnx")} == set(graph_names(("fp32",)))
    assert not list(folder.glob("*.onnx"))


def test_posts_with_pictures_put_the_image_encoder_in_8_bits(tmp_path: Path) -> None:
    folder = a_saved_checkpoint(tmp_path / "model")
    (tmp_path / "picture.jpg").write_bytes(a_rendition())
    posts = tmp_path / "posts.jsonl"
    posts.write_text('{"post_id": "1", "text": "look", "images": ["picture.jpg"]}\n')

    assert main(["export", "--checkpoint", str(folder), "--calibrate", str(posts)]) == OK

    assert {file.name for file in folder.glob("*.onnx")} == set(
        graph_names(("fp32", "int8"), calibrated=True)
    )


def test_posts_without_pictures_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = a_saved_checkpoint(tmp_path / "model")
    posts = tmp_path / "posts.jsonl"
    posts.write_text('{"post_id": "1", "text": "look"}\n')

    assert main(["export", "--checkpoint", str(folder), "--calibrate", str(posts)]) == MISUSED
    assert "no post has a picture" in " ".join(capsys.readouterr().err.split())


def test_a_folder_that_is_no_checkpoint_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "--checkpoint", str(tmp_path)]) == MISUSED

    said = capsys.readouterr().err
    assert "config.json is missing" in " ".join(said.split())
    assert "Traceback" not in said
