"""What 8 bits cost in accuracy: `python -m benchmarks.bench_precision --data DIR`.

The same checkpoint reads the validation parts with torch, with ONNX Runtime in 32-bit floats and
in 8 bits; what differs is stated in points.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import describe_in_words, describe_machine
from benchmarks.reports import table, write_results
from models.checkpoint import DEFAULT_CHECKPOINT, describe_checkpoint
from models.evaluation.answers import Answers
from models.evaluation.features import rendition
from models.evaluation.intervals import Figure, TruthFigure
from models.evaluation.labelled import load_pairs, load_texts
from models.evaluation.paired import difference
from models.evaluation.tasks import TEXT_TASKS, Task
from models.labels import SENTIMENTS
from models.scorer import ScoreInput, Scorer
from models.text_preparation import prepare_text
from models.training.figures import accuracy

ENGINES = {"torch fp32": ("torch", "auto"), "fp32": ("onnx", "fp32"), "int8": ("onnx", "int8")}
MOST_LOST = 0.5  # points
POSITIVE = SENTIMENTS.index("positive")


class Part(NamedTuple):
    """Labelled validation posts, how answers to them are decided, and the figure that counts."""

    posts: list[ScoreInput]
    truth: NDArray[Any]
    decide: Callable[[Answers], NDArray[Any]]
    figure: TruthFigure


def parts(data: Path, temperatures: dict[str, float]) -> dict[str, Part]:
    """The text tasks by their headline figures, and the pairs."""
    found = {}
    for task in TEXT_TASKS.values():
        name, figure = next(iter(task.figures.items()))
        labelled = load_texts(data, task.name)
        posts = [ScoreInput(prepare_text(text)) for text in labelled.texts]
        title = f"{task.says}, {name.replace('_', ' ')}"
        found[title] = Part(posts, labelled.truth, _decider(task, temperatures), figure)
    pairs = load_pairs(data, "validation")
    both = [
        ScoreInput(prepare_text(text), (rendition(image),))
        for text, image in zip(pairs.texts, pairs.images, strict=True)
    ]
    found["Text and image, accuracy"] = Part(
        both, pairs.truth, lambda answers: answers.classes, accuracy
    )
    return found


def _decider(task: Task, temperatures: dict[str, float]) -> Callable[[Answers], NDArray[Any]]:
    return lambda answers: task.decided(answers, temperatures)


def measure(checkpoint: Path, data: Path) -> dict[str, dict[str, Any]]:
    """Figures by task and engine, and how far 8 bits are from torch; of 100."""
    scorers = {
        name: Scorer.load(checkpoint, engine=engine, precision=precision)
        for name, (engine, precision) in ENGINES.items()
    }
    temperatures = describe_checkpoint(checkpoint).calibration.temperatures
    found: dict[str, dict[str, Any]] = {}
    for title, (posts, truth, decide, figure) in parts(data, temperatures).items():
        answers = {name: Answers.of(scorer.score(posts)) for name, scorer in scorers.items()}
        said = {name: decide(one) for name, one in answers.items()}
        positive = {name: one.sentiment[:, POSITIVE] for name, one in answers.items()}
        found[title] = {
            "posts": len(posts),
            **{name: 100 * figure(truth, one) for name, one in said.items()},
            "change": _points(difference(truth, said["int8"], said["torch fp32"], figure, 0)),
            "apart": float(np.abs(positive["int8"] - positive["torch fp32"]).mean()),
        }
        print(title, found[title], flush=True)
    return found


def _points(added: Figure) -> str:
    """A difference of shares, of 100."""
    return f"{100 * added.value:+.2f} [{100 * added.low:+.2f}, {100 * added.high:+.2f}]"


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
