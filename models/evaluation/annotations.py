"""What pictures are said to show: `python -m models.evaluation.annotations --data D`."""

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import torch
from rich.console import Console
from rich.progress import track

from models.checkpoint import DEFAULT_CHECKPOINT, CheckpointError, load_checkpoint
from models.evaluation.features import rendition
from models.evaluation.figures_file import write_figures
from models.evaluation.intervals import Figure, mean_interval
from models.evaluation.labelled import load_pairs
from models.explanation.annotator import Annotator
from models.explanation.records import Shown
from models.images import to_pixels

_AT_ONCE = 32


class Annotations(msgspec.Struct, frozen=True):
    """Whether words are told of what posts are about; nobody labelled what the pictures show.

    Attributes:
        pictures: how many.
        named: share of them of which a word is told.
        mentioned: of the words told, how many the picture's own text says.
        by_chance: the same with the text of another post, the mean over all others.
    """

    pictures: int
    named: float
    mentioned: Figure
    by_chance: float


def main() -> None:
    """Prints the figures of a checkpoint's annotator and writes them to --out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT)
    parser.add_argument("--data", type=Path, required=True, help="folder with pairs/")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    arguments = parser.parse_args()
    parts = [load_pairs(arguments.data, part) for part in ("train", "validation")]
    texts = [text for part in parts for text in part.texts]
    images = [image for part in parts for image in part.images]
    found = judge(list(annotate(arguments.checkpoint, images)), texts)
    Console().print(
        f"{found.pictures:,} pictures, {found.named:.1%} named; their own text says "
        f"{found.mentioned} of the words, another's {found.by_chance:.4f}"
    )
    if arguments.out:
        write_figures(found, arguments.out)


def annotate(folder: Path, images: Sequence[Path]) -> Iterator[tuple[Shown, ...]]:
    """What each picture shows.

    Raises:
        CheckpointError: the checkpoint has no annotator.
    """
    annotator, encoder = Annotator.load(folder), load_checkpoint(folder).image_encoder
    if annotator is None:
        raise CheckpointError(f"{folder} has no annotator; docs/models.md says which models have")
    for start in track(range(0, len(images), _AT_ONCE), "naming"):
        some = [to_pixels(rendition(image)) for image in images[start : start + _AT_ONCE]]
        with torch.inference_mode():
            yield from map(annotator, encoder(torch.from_numpy(np.stack(some))))


def judge(shown: Sequence[tuple[Shown, ...]], texts: Sequence[str]) -> Annotations:
    """Figures of what was told of each picture, given its post's text.

    >>> flood = (Shown("lakeside", 0.9, None),)
    >>> found = judge([flood, ()], ["no lakeside path today", "good morning"])
    >>> found.named, found.mentioned.value, found.by_chance
    (0.5, 1.0, 0.0)
    """
    said = [_words(text) for text in texts]
    told = [(row, _words(one.word)) for row, words in enumerate(shown) for one in words]
    own = np.array([words <= said[row] for row, words in told], dtype=np.float64)
    others = [
        np.mean([words <= text for at, text in enumerate(said) if at != row]) for row, words in told
    ]
    return Annotations(
        pictures=len(shown),
        named=float(np.mean([bool(words) for words in shown])),
        mentioned=mean_interval(own, seed=0),
        by_chance=float(np.mean(others)),
    )


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]{3,}", text.lower()))


if __name__ == "__main__":
    main()
