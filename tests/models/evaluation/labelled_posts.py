"""Labelled posts made on the spot, in the layout that an evaluation reads."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from models.labels import EMOTIONS, SENTIMENTS
from models.training.data import TASKS

WORDS = ("good", "bad", "phone", "not", "very", "the", "is")


def some_labelled_posts(folder: Path, rows: int = 24) -> Path:
    """Every text task and the pairs, so many rows a part (three times as many training pairs)."""
    for task, (name, labels) in TASKS.items():
        write_rows(
            folder / "text" / name / "validation.jsonl.gz",
            [a_row(number, labels) for number in range(rows)],
        )
        assert task
    for part, count in (("train", 3 * rows), ("validation", rows)):
        file = folder / "pairs/mvsa_single" / f"{part}.jsonl.gz"
        write_rows(file, [a_pair(number, file.parent, part) for number in range(count)])
    return folder


def a_row(number: int, labels: Sequence[str]) -> dict[str, Any]:
    """A labelled text; every third has an emoji and a hashtag."""
    text = a_text(number) + (" 😀 #GoodPhone" if number % 3 == 0 else "")
    if not labels:
        return {"text": text, "labels": [EMOTIONS[number % len(EMOTIONS)], "neutral"]}
    return {"text": text, "label": labels[number % len(labels)]}


def a_text(number: int) -> str:
    """Three words, other ones for each number."""
    return " ".join(WORDS[(number // step) % len(WORDS)] for step in (1, 7, 49))


def a_pair(number: int, folder: Path, part: str) -> dict[str, Any]:
    """A text with an image of one colour."""
    name = f"images/{part}-{number}.png"
    (folder / "images").mkdir(parents=True, exist_ok=True)
    colour = (number * 7 % 256, 90, 255 - number * 5 % 256)
    Image.new("RGB", (64, 48), colour).save(folder / name)
    return {"text": a_text(number), "image": name, "label": SENTIMENTS[number % 3]}


def write_rows(file: Path, rows: Sequence[dict[str, Any]]) -> None:
    """JSON lines, gzip."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(file, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows)
