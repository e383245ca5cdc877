"""Recall@k in the joint space: `python -m models.evaluation.retrieval --data D`."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from models.checkpoint import DEFAULT_CHECKPOINT
from models.evaluation.features import rendition
from models.evaluation.figures_file import write_figures
from models.evaluation.labelled import load_pairs
from models.evaluation.recall import Recall, recall_at
from models.scorer import Embedding, ScoreInput, Scorer
from models.text_preparation import prepare_text

_AT_ONCE = 64


def main() -> None:
    """Prints one table for each checkpoint and writes all figures to --out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--checkpoint",
        type=Path,
        action="append",
        help="checkpoint folder; give it again to compare (default: the shipped one)",
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with pairs/")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    arguments = parser.parse_args()
    pairs = validation_pairs(arguments.data)
    found: dict[str, list[Recall]] = {}
    for folder in arguments.checkpoint or [DEFAULT_CHECKPOINT]:
        found[str(folder)] = evaluate(Scorer.load(folder), pairs)
        Console().print(table(f"{folder}, {len(pairs)} pairs", found[str(folder)]))
    if arguments.out:
        write_figures(found, arguments.out)


def validation_pairs(data: Path) -> list[ScoreInput]:
    """MVSA-Single's validation part as the model reads it; pairs without text are left out."""
    found = load_pairs(data, "validation")
    pairs = [
        ScoreInput(prepare_text(text), (rendition(image),))
        for text, image in track(
            zip(found.texts, found.images, strict=True), "reading images", total=len(found)
        )
    ]
    return [pair for pair in pairs if pair.text]


def evaluate(scorer: Scorer, pairs: list[ScoreInput]) -> list[Recall]:
    """Recall at 1, 5 and 10; a pair whose picture or text another has too may find either."""
    placed = embed(scorer, pairs)
    text = np.stack([one.text for one in placed if one.text is not None])
    image = np.stack([one.image for one in placed if one.image is not None])
    return recall_at(text, image, own=same_content(pairs))


def embed(scorer: Scorer, items: Sequence[ScoreInput]) -> list[Embedding]:
    """Places of posts in the joint space, in the order given."""
    starts = track(range(0, len(items), _AT_ONCE), "embedding")
    return [one for start in starts for one in scorer.embed(items[start : start + _AT_ONCE])]


def same_content(pairs: list[ScoreInput]) -> NDArray[np.bool_]:
    """Where two pairs hold the same text or the same picture, (pairs, pairs)."""
    numbers: dict[object, int] = {}
    texts = np.array([numbers.setdefault(pair.text, len(numbers)) for pair in pairs])
    images = np.array([numbers.setdefault(pair.images, len(numbers)) for pair in pairs])
    return np.asarray((texts[:, None] == texts) | (images[:, None] == images))


def table(title: str, recalls: list[Recall]) -> Table:
    """Recalls as rows of a table."""
    shown = Table("direction", "k", "recall [95 %]", "chance", title=title)
    for one in recalls:
        shown.add_row(one.direction, str(one.k), str(one.recall), f"{one.chance:.3f}")
    return shown


if __name__ == "__main__":
    main()
