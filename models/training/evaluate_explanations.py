"""The deletion test on data: `python -m models.training.evaluate_explanations --data D`."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import msgspec
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from models.checkpoint import DEFAULT_CHECKPOINT, load_checkpoint
from models.explanation.deletion import FEWEST_WORDS, DeletionResult, deletion_test
from models.explanation.explainer import Explainer
from models.explanation.records import Explanation
from models.explanation.words import word_spans
from models.scorer import ScoreInput, Scorer
from models.training.data import load_task
from models.training.evaluate_retrieval import validation_pairs


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
        arguments.out.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")


def evaluate(checkpoint: Path, items: Sequence[ScoreInput], share: float) -> dict[str, object]:
    """The test of both rankings, and how well the contributions add up."""
    explainer, scorer = Explainer(load_checkpoint(checkpoint)), Scorer.load(checkpoint)
    told = [explainer.explain(item) for item in track(items, "explaining")]
    gaps = [
        one.completeness.gap / max(abs(one.completeness.difference), 0.01)
        for one in told
        if one.completeness is not None
    ]
    return {
        "attention": asdict(_tested(scorer, items, [by_attention(one) for one in told], share)),
        "contribution": asdict(_tested(scorer, items, list(map(by_contribution, told)), share)),
        "relative_gap": {"median": float(np.median(gaps)), "largest": max(gaps)},
        "words_agree": float(np.mean([_agreement(one) for one in told])),
    }


def by_attention(told: Explanation) -> list[int]:
    """Numbers of the words, most attended to first."""
    return sorted(range(len(told.words)), key=lambda place: -told.words[place].attention)


def by_contribution(told: Explanation) -> list[int]:
    """Numbers of the words, those that moved the reading most first, either way."""
    return sorted(range(len(told.words)), key=lambda place: -abs(told.words[place].contribution))


def _tested(
    scorer: Scorer, items: Sequence[ScoreInput], rankings: list[list[int]], share: float
) -> DeletionResult:
    return deletion_test(scorer.score, items, rankings, share)


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


def table(found: dict[str, dict[str, object]]) -> Table:
    """Moves of the reading by ranking."""
    shown = Table("posts", "ranking", "n", "top words", "random words", "difference", "p")
    for part, figures in found.items():
        for ranking in ("attention", "contribution"):
            one = msgspec.convert(figures[ranking], DeletionResult)
            difference = f"{one.difference:+.3f} [{one.low:+.3f}, {one.high:+.3f}]"
            shown.add_row(
                part, ranking, str(one.posts), f"{one.top:.3f}", f"{one.chance:.3f}",
                difference, f"{one.p_value:.1e}",
            )  # fmt: skip
    return shown


if __name__ == "__main__":
    main()
