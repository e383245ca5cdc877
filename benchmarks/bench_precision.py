"""What 8 bits cost in accuracy: `python -m benchmarks.bench_precision --data DIR`.

The same checkpoint reads the validation parts with torch, with ONNX Runtime in 32-bit floats and
in 8 bits; what differs is stated in points.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import describe_in_words, describe_machine
from benchmarks.model_posts import read_pairs, read_texts
from benchmarks.reports import table, write_results
from models.checkpoint import DEFAULT_CHECKPOINT
from models.evaluation.intervals import interval
from models.labels import EMOTIONS, SENTIMENTS, TWEET_EMOTIONS
from models.scorer import ScoreInput, Scorer, Scores

ENGINES = {"torch fp32": ("torch", "auto"), "fp32": ("onnx", "fp32"), "int8": ("onnx", "int8")}
EMOTION_HOLDS = 0.3  # GoEmotions' customary threshold
MOST_LOST = 0.5  # points
Labelled = list[tuple[ScoreInput, tuple[int, ...]]]
Marks = NDArray[np.bool_]


def parts(data: Path) -> dict[str, Labelled]:
    """Validation posts of each task with the indexes of their labels."""
    return {
        "sentiment, macro-recall": read_texts(data, "sentiment", SENTIMENTS),
        "emotion of four, macro-F1": read_texts(data, "emotion", TWEET_EMOTIONS),
        "28 emotions, macro-F1": read_texts(data, "goemotions", EMOTIONS),
        "irony, F1": read_texts(data, "irony", ("non_irony", "irony")),
        "offence, macro-F1": read_texts(data, "offensive", ("not-offensive", "offensive")),
        "text and image, accuracy": read_pairs(data, SENTIMENTS),
    }


def figure(task: str, truth: Marks, predicted: Marks) -> float:
    """The measure that the task's name states, of 100; marks are (posts, classes)."""
    if task.endswith("accuracy"):
        return 100 * float((truth & predicted).any(axis=1).mean())
    classes = [1] if task == "irony, F1" else list(np.flatnonzero(truth.any(axis=0)))
    hits = (truth & predicted).sum(axis=0)[classes]
    if task.endswith("recall"):
        return 100 * float((hits / truth.sum(axis=0)[classes]).mean())
    return 100 * float((2 * hits / (truth.sum(axis=0) + predicted.sum(axis=0))[classes]).mean())


def marks(rows: Iterable[Sequence[int]]) -> Marks:
    """Which classes hold, (posts, classes)."""
    held = list(rows)
    found = np.zeros((len(held), len(EMOTIONS)), np.bool_)
    for row, classes in enumerate(held):
        found[row, list(classes)] = True
    return found


def _answer(task: str, scores: Scores) -> list[int]:
    if task.startswith("28"):
        return [i for i, name in enumerate(EMOTIONS) if scores.emotions[name] >= EMOTION_HOLDS]
    if task.startswith("emotion"):
        return [int(np.argmax([scores.emotions[name] for name in TWEET_EMOTIONS]))]
    if task.startswith(("irony", "offence")):
        return [int(getattr(scores, task.partition(",")[0]) >= 0.5)]
    return [int(np.argmax([scores.sentiment[name] for name in SENTIMENTS]))]


def measure(checkpoint: Path, data: Path) -> dict[str, dict[str, Any]]:
    """Figures by task and engine, and how far 8 bits are from torch."""
    scorers = {
        name: Scorer.load(checkpoint, engine=engine, precision=precision)
        for name, (engine, precision) in ENGINES.items()
    }
    found: dict[str, dict[str, Any]] = {}
    for task, rows in parts(data).items():
        posts, truth = [post for post, _ in rows], marks(target for _, target in rows)
        scores = {name: scorer.score(posts) for name, scorer in scorers.items()}
        said = {
            name: marks(_answer(task, one) for one in answers) for name, answers in scores.items()
        }
        found[task] = {
            "posts": len(posts),
            **{name: figure(task, truth, answers) for name, answers in said.items()},
            "change": _change(task, truth, said["int8"], said["torch fp32"]),
            "apart": _apart(scores["int8"], scores["torch fp32"]),
        }
        print(task, found[task], flush=True)
    return found


def _change(task: str, truth: Marks, ours: Marks, theirs: Marks) -> str:
    """What 8 bits add to the measure, with its paired 95 % bootstrap interval."""
    added = interval(
        lambda rows: (
            figure(task, truth[rows], ours[rows]) - figure(task, truth[rows], theirs[rows])
        ),
        len(truth),
        seed=0,
    )
    return f"{added.value:+.2f} [{added.low:+.2f}, {added.high:+.2f}]"


def _apart(ours: list[Scores], theirs: list[Scores]) -> float:
    """Mean of |P(positive) - P'(positive)|."""
    pairs = zip(ours, theirs, strict=True)
    return float(
        np.mean([abs(a.sentiment["positive"] - b.sentiment["positive"]) for a, b in pairs])
    )


def in_words(results: dict[str, Any]) -> str:
    """The report for people."""
    rows = []
    for task, found in results["tasks"].items():
        cells = [f"{found[name]:.2f}" for name in ENGINES]
        rows.append([task, str(found["posts"]), *cells, found["change"], f"{found['apart']:.4f}"])
    return (
        "\n\n".join(
            [
                "# Precision: what 8 bits cost",
                describe_in_words(results["machine"]),
                f"{results['model']} on the validation parts, of 100; at most {MOST_LOST} "
                "points may be lost. Change: int8 less torch, with its paired 95 % bootstrap "
                "interval. Apart: by how much P(positive) differs in the mean.",
                table(["", "posts", *ENGINES, "change", "apart"], rows),
            ]
        )
        + "\n"
    )


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with text/ and pairs/")
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("results"))
    args = parser.parse_args()
    results = {
        "machine": describe_machine(),
        "model": Scorer.load(args.checkpoint).model,
        "tasks": measure(args.checkpoint, args.data),
    }
    write_results(results, in_words(results), args.output, "precision")


if __name__ == "__main__":
    main()
