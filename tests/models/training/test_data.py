"""What is wrong with labelled data is said with the name of its file."""

import gzip
import json
from pathlib import Path

import pytest
import torch

from models.labels import EMOTIONS, HEADS
from models.training.data import TASKS, Example, TrainingDataError, load_task
from models.training.pairs import MVSA, labelled_pairs
from models.training.validation import validate_text

WHOLE = gzip.compress(b'{"text": "a", "label": "positive"}\n' * 900)
DAMAGED = {
    "cut": WHOLE[:-20],
    "no gzip": b"plain",
    "garbage": WHOLE[:30] + b"\xff" * 60,
    "empty": gzip.compress(b""),
}
ROWS = {
    "no text": {"label": "positive"},
    "text of null": {"text": None, "label": "positive"},
    "text that is a number": {"text": 5, "label": "positive"},
    "no object": ["a", "positive"],
    "no label": {"text": "a"},
    "unknown label": {"text": "a", "label": "great"},
    "labels of another task": {"text": "a", "labels": ["anger"]},
}


def a_file(file: Path, content: bytes) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_or_empty_file_is_named(tmp_path: Path, content: bytes) -> None:
    a_file(tmp_path / "text/sentiment/train.jsonl.gz", content)

    with pytest.raises(TrainingDataError, match=r"sentiment/train\.jsonl\.gz"):
        load_task(tmp_path, "sentiment", "train")


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_row_that_is_not_as_expected_is_refused(tmp_path: Path, row: object) -> None:
    content = gzip.compress(json.dumps(row).encode())
    a_file(tmp_path / "text/sentiment/train.jsonl.gz", content)
    a_file(tmp_path / MVSA / "train.jsonl.gz", content)

    with pytest.raises(TrainingDataError, match="negative, neutral, positive"):
        load_task(tmp_path, "sentiment", "train")
    with pytest.raises(TrainingDataError, match="negative, neutral, positive"):
        labelled_pairs(tmp_path, "train")


def test_a_text_may_have_no_emotion() -> None:
    examples = {task: [Example(task, "a", (0,), (2, 3))] for task in TASKS}
    examples["emotions"].append(Example("emotions", "b", (), (2, 3)))

    def none_at_all(batch: list[Example]) -> dict[str, torch.Tensor]:
        return {head: torch.full((len(batch), size), -9.0) for head, size in HEADS.items()}

    assert len(EMOTIONS) == HEADS["emotions"]
    assert validate_text(none_at_all, examples)["emotions"] == 0.0
