"""How much a figure moves when posts are harmed a little."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.evaluation.answers import Answers
from models.evaluation.corruptions import IMAGE_CHANGES, TEXT_CHANGES
from models.evaluation.intervals import TruthFigure, interval, interval_of
from models.evaluation.labelled import Labelled
from models.evaluation.records import Robustness
from models.evaluation.scoring import Scoring
from models.evaluation.tasks import TEXT_TASKS, Decided, Task
from models.images import render
from models.scorer import ScoreInput
from models.text_preparation import prepare_text
from models.training.figures import accuracy

Tokens = Callable[[Sequence[str]], list[list[int]]]
HARMED_TASKS = ("sentiment", "tweet_emotion", "irony", "offence")


def text_robustness(
    scoring: Scoring,
    name: str,
    posts: Labelled,
    clean: Answers,
    *,
    tokens_of: Tokens,
    temperatures: dict[str, float],
    seed: int,
) -> Iterator[Robustness]:
    """A text task's headline after each change of its texts.

    Only posts whose tokens change are scored again: a model that reads no case, say, reads a post
    in upper case as before.
    """
    task = TEXT_TASKS[name]
    before = tokens_of([prepare_text(text) for text in posts.texts])
    for change, harm in TEXT_CHANGES.items():
        texts = [prepare_text(harm(text, seed)) for text in posts.texts]
        differs = [one != other for one, other in zip(tokens_of(texts), before, strict=True)]
        rows = np.flatnonzero(differs)
        answers = scoring.changed(f"{name}-{change}", texts, rows, clean)
        yield _compare(
            (name, *next(iter(task.figures.items()))),
            change,
            posts.truth,
            (_decide(task, clean, temperatures), _decide(task, answers, temperatures)),
            changed=len(rows),
            seed=seed,
        )


def image_robustness(
    scoring: Scoring, pairs: Labelled, clean: Answers, seed: int
) -> Iterator[Robustness]:
    """Accuracy of the fusion after each change of the images; the texts stay."""
    texts = [prepare_text(text) for text in pairs.texts]
    for change, harm in IMAGE_CHANGES.items():
        images = [_harmed(file, harm) for file in pairs.images]
        inputs = [ScoreInput(text, (image,)) for text, image in zip(texts, images, strict=True)]
        answers = scoring.answers(f"pairs-{change}", inputs)
        yield _compare(
            ("pairs", "accuracy", accuracy),
            change,
            pairs.truth,
            (clean.classes, answers.classes),
            changed=len(inputs),
            seed=seed,
        )


def _compare(
    figure: tuple[str, str, TruthFigure],
    change: str,
    truth: Decided,
    decided: tuple[Decided, Decided],
    *,
    changed: int,
    seed: int,
) -> Robustness:
    task, name, of = figure
    before, after = decided
    return Robustness(
        task=task,
        figure=name,
        change=change,
        changed=changed / len(truth),
        before=of(truth, before),
        after=interval_of(of, truth, after, seed),
        difference=interval(
            lambda rows: of(truth[rows], after[rows]) - of(truth[rows], before[rows]),
            len(truth),
            seed,
        ),
        answers_that_differ=float((before != after).mean()),
    )


def _decide(task: Task, answers: Answers, temperatures: dict[str, float]) -> NDArray[np.int64]:
    logits = task.logits(answers, temperatures)
    temperature = temperatures[task.head] if task.head else 1.0
    return np.asarray(task.decide(task.probabilities(logits, temperature)))


def _harmed(file: Path, harm: Callable[[Image.Image], Image.Image]) -> bytes:
    with Image.open(file) as image:
        return render(harm(image))
