"""How well copies and campaigns are found: `python -m models.evaluation.copies --data D`."""

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from models.checkpoint import DEFAULT_CHECKPOINT
from models.evaluation.copied import own_words, retouched, reworded
from models.evaluation.features import rendition
from models.evaluation.figures_file import write_figures
from models.evaluation.intervals import Figure, mean_interval
from models.evaluation.labelled import load_pairs
from models.evaluation.planted import Group, Planted, largest_group, planted, read_stream
from models.evaluation.retrieval import embed
from models.retrieval.campaigns import CampaignRule
from models.scorer import ScoreInput, Scorer
from models.text_preparation import prepare_text


class Copies(msgspec.Struct, frozen=True):
    """Shares of pairs that lie as close as a campaign's posts have to: copies, and strangers."""

    copies: Figure
    strangers: float
    stranger_pairs: int


class Report(msgspec.Struct, frozen=True):
    """Everything that is measured; the groups are those of the stream as it is."""

    texts: Copies
    images: Copies
    by_cosine_alone: Group
    by_the_rule: Group
    campaigns: Planted


def main() -> None:
    """Prints the figures and writes them to --out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT)
    parser.add_argument("--data", type=Path, required=True, help="folder with pairs/ and streams/")
    parser.add_argument("--posts", type=int, default=1500, help="of the stream, spread over it")
    parser.add_argument("--rounds", type=int, default=5, help="of 20 planted campaigns")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    arguments = parser.parse_args()
    found = evaluate(
        Scorer.load(arguments.checkpoint), arguments.data, arguments.posts, arguments.rounds
    )
    Console().print(table(found))
    if arguments.out:
        write_figures(found, arguments.out)


def evaluate(scorer: Scorer, data: Path, posts: int, rounds: int) -> Report:
    """Copies of MVSA's validation texts and pictures, campaigns planted among the stream."""
    pairs = load_pairs(data, "validation")
    texts = [text for text in dict.fromkeys(map(prepare_text, pairs.texts)) if own_words(text)]
    pictures = list(dict.fromkeys(rendition(file) for file in pairs.images))
    stream = read_stream(scorer, data, posts)
    return Report(
        texts=text_copies(scorer, texts[:300]),
        images=image_copies(scorer, pictures[:150]),
        by_cosine_alone=largest_group(stream, CampaignRule(text_overlap=0.0)),
        by_the_rule=largest_group(stream, CampaignRule()),
        campaigns=planted(scorer, stream, (texts, pictures), rounds),
    )


def text_copies(scorer: Scorer, texts: Sequence[str]) -> Copies:
    """Each text with one word replaced, and every two different texts."""
    generator = random.Random(0)
    copies = [reworded(text, texts, generator) for text in texts]
    embeddings = embed(scorer, [ScoreInput(text) for text in [*texts, *copies]])
    vectors = np.stack([one.text for one in embeddings if one.text is not None])
    return _compared(vectors, CampaignRule().text_cosine)


def image_copies(scorer: Scorer, pictures: Sequence[bytes]) -> Copies:
    """Each picture cropped by 4 % a side, brightened and saved again, and every two pictures."""
    copies = [retouched(picture, crop=0.04, light=1.1, quality=40) for picture in pictures]
    embeddings = embed(scorer, [ScoreInput("", (picture,)) for picture in [*pictures, *copies]])
    vectors = np.stack([one.image for one in embeddings if one.image is not None])
    return _compared(vectors, CampaignRule().image_cosine)


def _compared(vectors: NDArray[np.float32], least: float) -> Copies:
    originals, copies = np.split(vectors, 2)
    close = (originals * copies).sum(axis=1) >= least
    strangers = (originals @ originals.T)[np.triu_indices(len(originals), 1)] >= least
    return Copies(
        mean_interval(close.astype(np.float64), 0), float(strangers.mean()), len(strangers)
    )


def table(found: Report) -> Table:
    """The figures as rows."""
    shown = Table("what", "found", title="copies and campaigns")
    for name, one in (("texts", found.texts), ("images", found.images)):
        shown.add_row(f"{name}: copies that are close enough", str(one.copies))
        shown.add_row(f"{name}: of {one.stranger_pairs:,} other pairs", f"{one.strangers:.2%}")
    for name, group in (("cosine alone", found.by_cosine_alone), ("the rule", found.by_the_rule)):
        shown.add_row(f"largest group by {name}", f"{group.posts} posts, {group.authors} authors")
    made = found.campaigns
    shown.add_row("campaigns by text", f"{made.by_text} of {made.planted}")
    shown.add_row("campaigns by picture", f"{made.by_image} of {made.planted}")
    shown.add_row("mixed; others", f"{made.mixed}; {made.others}")
    return shown


if __name__ == "__main__":
    main()
