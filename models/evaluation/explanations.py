"""The deletion test on data: `python -m models.evaluation.explanations --data D`."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from models.checkpoint import DEFAULT_CHECKPOINT
from models.evaluation.deletion import FEWEST_WORDS, DeletionResult, deletion_test
from models.evaluation.figures_file import write_figures
from models.evaluation.retrieval import validation_pairs
from models.explanation.explainer import Explainer
from models.explanation.records import Explanation
from models.explanation.words import word_spans
from models.scorer import ScoreInput, Scorer
from models.training.data import load_task


@dataclass(frozen=True)
class Tested:
    """What the test says of one part.

    Attributes:
        attention: words ranked by how much they are attended to.
        contribution: words ranked by how far they moved the reading.
        relative_gap: what the contributions miss of what they should add up to, median and largest.
        words_agree: share of the three most attended words among the three of most contribution.
    """

    attention: DeletionResult
    contribution: DeletionResult
    relative_gap: dict[str, float]
    words_agree: float


def main() -> None:
    """Prints a table for tweets and for pairs of text and image, and writes it to --out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT)
    parser.add_argument("--data", type=Path, required=True, help="folder with text/ and pairs/")
    parser.add_argument("--posts", type=int, default=300, help="of each part (default: 300)")
    parser.add_argument("--share", type=float, default=0.2, help="of the words (default: 0.2)")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    arguments = parser.parse_args()
    found = {
        part: evaluate(arguments.checkpoint, items, arguments.share)
        for part, items in _items(arguments.data, arguments.posts).items()
    }
    Console().print(table(found))
    if arguments.out:
        write_figures(found, arguments.out)


def evaluate(checkpoint: Path, items: Sequence[ScoreInput], share: float) -> Tested:
    """The test of both rankings, and how well the contributions add up."""
    explainer, scorer = Explainer.load(checkpoint), Scorer.load(checkpoint)
    told = [explainer.explain(item) for item in track(items, "explaining")]
    gaps = [
        one.completeness.gap / max(abs(one.completeness.difference), 0.01)
        for one in told
        if one.completeness is not None
    ]
    return Tested(
        attention=deletion_test(scorer.score, items, list(map(by_attention, told)), share),
        contribution=deletion_test(scorer.score, items, list(map(by_contribution, told)), share),
        relative_gap={"median": float(np.median(gaps)), "largest": max(gaps)},
        words_agree=float(np.mean([_agreement(one) for one in told])),
    )


def by_attention(told: Explanation) -> list[int]:
    """Numbers of the words, most attended to first."""
    return sorted(range(len(told.words)), key=lambda place: -told.words[place].attention)


def by_contribution(told: Explanation) -> list[int]:
    """Numbers of the words, those that moved the reading most first, either way."""
    return sorted(range(len(told.words)), key=lambda place: -abs(told.words[place].contribution))


def _agreement(told: Explanation) -> float:
    """Share of the three most attended words that are among the three of most contribution."""
    return len({*by_attention(told)[:3]} & {*by_contribution(told)[:3]}) / 3


def _items(data: Path, posts: int) -> dict[str, list[ScoreInput]]:
    tweets = [ScoreInput(one.text) for one in load_task(data, "sentiment", "validation")]
    parts = {"tweets": tweets, "pairs": validation_pairs(data)}
    return {
        part: [item for item in items if len(word_spans(item.text)) >= FEWEST_WORDS][:posts]
        for part, items in parts.items()
    }


def table(found: dict[str, Tested]) -> Table:
    """Moves of the reading by ranking."""
    shown = Table("posts", "ranking", "n", "top words", "random words", "difference", "p")
    for part, tested in found.items():
        for ranking, one in (
            ("attention", tested.attention),
            ("contribution", tested.contribution),
        ):
            shown.add_row(
                part, ranking, str(one.posts), f"{one.top:.3f}", f"{one.chance:.3f}",
                str(one.difference), f"{one.p_value:.1e}",
            )  # fmt: skip
    return shown


if __name__ == "__main__":
    main()
