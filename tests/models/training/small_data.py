"""A small labelled world: texts whose words, and images whose colours, give the label away."""

import gzip
import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from PIL import Image
from transformers import BertConfig, BertModel

from models.labels import EMOTIONS, SENTIMENTS, TWEET_EMOTIONS
from tests.models.tiny_model import WORDS, a_tokenizer

# Task folder -> the labels in it, each said by one word of the tiny tokenizer's.
LABELS = {
    "sentiment": SENTIMENTS,
    "emotion": TWEET_EMOTIONS,
    "irony": ("non_irony", "irony"),
    "offensive": ("not-offensive", "offensive"),
}
SIGNS = ("bad", "phone", "good", "very")
COLOURS = {"negative": (200, 30, 30), "neutral": (128, 128, 128), "positive": (30, 200, 30)}


def small_data(folder: Path, rows: int = 48, pairs: int = 24) -> Path:
    """`folder` laid out as `--data` wants it: text/ and pairs/."""
    order = random.Random(0)
    for part in ("train", "validation"):
        for task, labels in LABELS.items():
            _write(folder / f"text/{task}/{part}.jsonl.gz", _rows(labels, rows, order))
        several = [{"text": "good phone", "labels": [name]} for name in EMOTIONS]
        _write(folder / f"text/goemotions/{part}.jsonl.gz", several)
        _write(folder / f"pairs/mvsa_single/{part}.jsonl.gz", _pairs(folder, part, pairs, order))
    return folder


def _rows(labels: tuple[str, ...], count: int, order: random.Random) -> Iterable[dict[str, Any]]:
    for row in range(count):
        label = row % len(labels)
        rest = order.choices(["the", "is", "not"], k=order.randint(1, 6))
        yield {"text": " ".join([*rest, SIGNS[label]]), "label": labels[label]}


def _pairs(folder: Path, part: str, count: int, order: random.Random) -> Iterable[dict[str, Any]]:
    (folder / "pairs/mvsa_single/images").mkdir(parents=True, exist_ok=True)
    for row in range(count):
        label = SENTIMENTS[row % 3]
        shade = tuple(value + order.randint(0, 20) for value in COLOURS[label])
        name = f"images/{part}-{row}.png"
        Image.new("RGB", (40, 30), shade).save(folder / "pairs/mvsa_single" / name)
        sign = (
            SIGNS[row % 3] if row % 4 else "phone"
        )  # a quarter shows its label in the image alone
        yield {"id": str(row), "text": f"the {sign} {row}", "image": name, "label": label}


def _write(file: Path, rows: Iterable[dict[str, Any]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(file, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows)


def small_text_model(folder: Path, layers: int = 2) -> Path:
    """A transformers folder with a random BERT and its tokenizer."""
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=32,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=64,
    )
    BertModel(config).save_pretrained(folder)
    a_tokenizer().save(folder / "tokenizer.json")
    return folder


def small_settings(folder: Path, **changes: Any) -> Path:
    """A settings file for the small world, written to `folder`; sections are merged, None drops."""
    settings: dict[str, Any] = {
        "version": "small-1",
        "seed": 7,
        "text_encoder": str(folder / "text-model"),
        "image_encoder": "test_efficientnet",
        "image_pretrained": False,
        "joint_width": 32,
        "joint_heads": 2,
        "max_tokens": 16,
        "text": {"epochs": 2, "rounds": 2, "batch_size": 16, "max_tokens": 16},
        "align": {"rounds": 2, "batch_size": 8},
        "fusion": {"rounds": 2, "batch_size": 8},
    }
    for key, value in changes.items():
        merged = {**(settings.get(key) or {}), **value} if isinstance(value, dict) else value
        settings[key] = merged
    file = folder / "train.yaml"
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return file
