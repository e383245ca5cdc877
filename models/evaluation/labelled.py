"""Labelled posts that a checkpoint is judged by."""

import gzip
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.labels import EMOTIONS, SENTIMENTS
from models.training.data import TASKS

PAIRS: Final = Path("pairs/mvsa_single")
LAYOUT: Final = """\
DIR/text/{sentiment,emotion,goemotions,irony,offensive}/validation.jsonl.gz, a line each
    {"text": "...", "label": "..."}, in goemotions {"text": "...", "labels": ["...", ...]}
DIR/pairs/mvsa_single/{train,validation}.jsonl.gz, a line each
    {"text": "...", "image": "images/1.jpg", "label": "..."}, images relative to the file"""


class DataError(ValueError):
    """Labelled data is missing or unlike what is expected; names the file and the layout."""


@dataclass(frozen=True)
class Labelled:
    """Labelled posts, as published: texts are not prepared for the model yet.

    Attributes:
        texts: one a row.
        truth: class of each row, (rows,); where several labels may hold, (rows, labels) of bool.
        images: file of each row's image; empty where posts have none.
    """

    texts: tuple[str, ...]
    truth: NDArray[Any]
    images: tuple[Path, ...] = ()

    def __len__(self) -> int:
        return len(self.texts)


def load_texts(data: Path, task: str, limit: int | None = None) -> Labelled:
    """The validation part of a text task, the first `limit` rows of it.

    Raises:
        DataError: it is not there, or not as expected.
    """
    folder, labels = TASKS[task]
    file = data / "text" / folder / "validation.jsonl.gz"
    rows = _read(file, limit)
    try:
        texts = tuple(_text(row) for row in rows)
        truth = _classes(rows, labels) if labels else _several(rows)
    except (KeyError, TypeError, ValueError) as error:
        raise _wrong(file, error) from error
    return Labelled(texts, truth)


def load_pairs(data: Path, part: str, limit: int | None = None) -> Labelled:
    """Pairs of text and image with one sentiment; `part` is train or validation.

    Raises:
        DataError: they or their images are not there, or not as expected.
    """
    file = data / PAIRS / f"{part}.jsonl.gz"
    rows = _read(file, limit)
    try:
        texts = tuple(_text(row) for row in rows)
        images = tuple(file.parent / row["image"] for row in rows)
        truth = _classes(rows, SENTIMENTS)
    except (KeyError, TypeError, ValueError) as error:
        raise _wrong(file, error) from error
    missing = [image for image in images if not image.is_file()]
    if missing:
        raise DataError(f"{missing[0]}: no such image, named in {file}; {len(missing)} are missing")
    return Labelled(texts, truth, images)


def _read(file: Path, limit: int | None) -> list[dict[str, Any]]:
    if not file.is_file():
        raise DataError(f"{file}: no such file. Expected:\n{LAYOUT}")
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines][:limit]
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise _wrong(file, error) from error
    if not rows:
        raise DataError(f"{file}: holds no rows")
    return rows


def _text(row: dict[str, Any]) -> str:
    if not isinstance(row["text"], str):
        raise TypeError(f"text: {row['text']!r}")
    return row["text"]


def _classes(rows: Sequence[dict[str, Any]], labels: Sequence[str]) -> NDArray[np.int64]:
    return np.array([labels.index(row["label"]) for row in rows], dtype=np.int64)


def _several(rows: Sequence[dict[str, Any]]) -> NDArray[np.bool_]:
    held = np.zeros((len(rows), len(EMOTIONS)), dtype=np.bool_)
    for number, row in enumerate(rows):
        held[number, [EMOTIONS.index(name) for name in row["labels"]]] = True
    return held


def _wrong(file: Path, error: Exception) -> DataError:
    return DataError(f"{file}: not as expected ({error!r}). Expected:\n{LAYOUT}")
