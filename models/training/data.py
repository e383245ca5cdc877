"""Labelled texts of all tasks, prepared as in serving, and batches of similar length."""

import gzip
import json
import random
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from models.labels import EMOTIONS, SENTIMENTS, TWEET_EMOTIONS
from models.text_preparation import prepare_text
from models.text_tokenizer import TextTokenizer

Row = TypeVar("Row")

# Task -> (folder, labels of a single-label task).
TASKS: dict[str, tuple[str, tuple[str, ...]]] = {
    "sentiment": ("sentiment", SENTIMENTS),
    "tweet_emotion": ("emotion", TWEET_EMOTIONS),
    "emotions": ("goemotions", ()),
    "irony": ("irony", ("non_irony", "irony")),
    "offence": ("offensive", ("not-offensive", "offensive")),
}


class TrainingDataError(ValueError):
    """Labelled data is missing or unreadable; the message names the file and what is expected."""


@dataclass(frozen=True)
class Example:
    """One labelled text.

    `target` is a class index, or the indexes of several emotions; `row` the text's place among
    those that teachers answered for.
    """

    task: str
    text: str
    target: tuple[int, ...]
    token_ids: tuple[int, ...] = ()
    row: int = 0


def read_rows(file: Path) -> list[dict[str, Any]]:
    """Rows of a JSON Lines file, gzip-compressed.

    Raises:
        TrainingDataError: the file is missing, damaged or empty, or a line is not JSON.
    """
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
    except (OSError, EOFError, zlib.error) as error:
        problem = getattr(error, "strerror", None) or error
        raise TrainingDataError(
            f"{file}: {problem}; --data names a folder laid out as docs/training.md says"
        ) from error
    except ValueError as error:
        raise TrainingDataError(f"{file}: is not JSON Lines ({error})") from error
    if not rows:
        raise TrainingDataError(f"{file}: holds no rows")
    return rows


def load_task(data: Path, task: str, part: str) -> list[Example]:
    """Examples of one task; `part` is train or validation."""
    folder, labels = TASKS[task]
    rows = read_rows(data / "text" / folder / f"{part}.jsonl.gz")
    try:
        return [Example(task, prepare_text(row["text"]), _target(row, labels)) for row in rows]
    except (KeyError, TypeError, ValueError) as error:
        raise TrainingDataError(
            f"{folder}/{part}.jsonl.gz: a row has no known label or text ({error}); "
            f"labels are {', '.join(labels or EMOTIONS)}"
        ) from error


def _target(row: dict[str, Any], labels: Sequence[str]) -> tuple[int, ...]:
    if labels:
        return (labels.index(row["label"]),)
    return tuple(EMOTIONS.index(name) for name in row["labels"])


def tokenise(examples: Sequence[Example], tokenizer: TextTokenizer) -> list[Example]:
    """The same examples with their token ids."""
    ids = tokenizer([example.text for example in examples])
    return [
        replace(example, token_ids=tuple(row)) for example, row in zip(examples, ids, strict=True)
    ]


def token_count(example: Example) -> int:
    """How long a tokenised example is."""
    return len(example.token_ids)


def length_batches(
    rows: Sequence[Row], size: int, generator: random.Random, length: Callable[[Row], int]
) -> Iterator[list[Row]]:
    """Shuffled batches whose members have similar length, so that little is padding."""
    order = list(rows)
    generator.shuffle(order)
    pools = [order[start : start + 64 * size] for start in range(0, len(order), 64 * size)]
    batches = [batch for pool in pools for batch in _cut(sorted(pool, key=length), size)]
    generator.shuffle(batches)
    yield from batches


def _cut(pool: list[Row], size: int) -> list[list[Row]]:
    return [pool[start : start + size] for start in range(0, len(pool), size)]


def pad(rows: Sequence[Sequence[int]], length: int | None = None) -> tuple[Tensor, Tensor]:
    """Token ids and mask, (batch, tokens); ids padded with 0, length a multiple of 8."""
    longest = max(len(row) for row in rows)
    length = length or -(-longest // 8) * 8
    ids = torch.zeros(len(rows), length, dtype=torch.long)
    mask = torch.zeros(len(rows), length, dtype=torch.bool)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = torch.tensor(row)
        mask[index, : len(row)] = True
    return ids, mask
