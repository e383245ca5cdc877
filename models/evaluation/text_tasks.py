"""Figures of one text task: right answers, honest probabilities, abstention."""

from collections.abc import Iterator
from functools import partial

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from models.calibration import Floats
from models.evaluation.answers import Answers
from models.evaluation.calibrated import (
    Kind,
    ScaledFigures,
    confidence_of,
    ece_if_calibrated,
    reliability,
    scaled_figures,
)
from models.evaluation.intervals import RESAMPLES, Figure, interval, interval_of
from models.evaluation.labelled import Labelled
from models.evaluation.precision_recall import PrecisionRecall, precision_recall
from models.evaluation.records import TaskReport
from models.evaluation.risk import Curve, selection
from models.evaluation.scaling import cross_fitted
from models.evaluation.tasks import Decided, Task
from models.training.figures import confusion

_FEW_RESAMPLES = 200  # where a figure sorts every label of every row
_RISK_WANTED = {
    "sentiment": 0.2,
    "tweet_emotion": 0.15,
    "irony": 0.25,
    "offence": 0.15,
}  # a quarter to a third below the error of all answers


def task_report(
    task: Task, posts: Labelled, answers: Answers, temperatures: dict[str, float], seed: int
) -> TaskReport:
    """Everything about one task; `temperatures` are the checkpoint's, by head."""
    truth = posts.truth
    logits = task.logits(answers, temperatures)
    shipped = temperatures[task.head] if task.head else None
    decided = task.decided(answers, temperatures)
    held_out = cross_fitted(logits, truth, task.scalings["temperature"], seed)
    shares, by_label = _labels(task, truth, decided, seed)
    report = TaskReport(
        rows=len(posts),
        kind=str(task.kind),
        figures=headline_figures(task, truth, decided, seed),
        f1_by_label=by_label,
        share_by_label=shares,
        confusion=_confusion(task, truth, decided),
        temperature=shipped,
        scalings=dict(_scalings(task, logits, truth, shipped, seed)),
        ece_if_calibrated=ece_if_calibrated(held_out, task.kind, seed),
        reliability=Curve(*reliability(held_out, truth, task.kind)),
        precision_recall=_precision_recall(task, held_out, truth),
        selection=None
        if task.kind is Kind.SEVERAL
        else selection(*confidence_of(held_out, truth, task.kind), _RISK_WANTED[task.name], seed),
    )
    return report if task.name != "sentiment" else _with_kept(report, answers, decided == truth)


def headline_figures(task: Task, truth: Decided, decided: Decided, seed: int) -> dict[str, Figure]:
    """The task's figures with intervals."""
    return {name: interval_of(of, truth, decided, seed) for name, of in task.figures.items()}


def _labels(
    task: Task, truth: Decided, decided: Decided, seed: int
) -> tuple[dict[str, float], dict[str, Figure]]:
    """Share and F1 of each label."""
    if task.kind is Kind.SEVERAL:
        shares = truth.mean(axis=0)
    else:
        shares = np.bincount(truth, minlength=len(task.labels)) / len(truth)
    figures = [
        interval_of(partial(_f1_of, task, label), truth, decided, seed, _FEW_RESAMPLES)
        for label in range(len(task.labels))
    ]
    return (
        dict(zip(task.labels, shares.tolist(), strict=True)),
        dict(zip(task.labels, figures, strict=True)),
    )


def _f1_of(task: Task, label: int, truth: Decided, decided: Decided) -> float:
    return float(task.f1_by_label(truth, decided)[label])


def _confusion(task: Task, truth: Decided, decided: Decided) -> list[list[int]]:
    if task.kind is Kind.SEVERAL:
        return []
    table: list[list[int]] = confusion(truth, decided, len(task.labels)).tolist()
    return table


def _scalings(
    task: Task, logits: Floats, truth: Decided, shipped: float | None, seed: int
) -> Iterator[tuple[str, ScaledFigures]]:
    resamples = _FEW_RESAMPLES if task.kind is Kind.SEVERAL else RESAMPLES
    for name, fit in task.scalings.items():
        probabilities = cross_fitted(logits, truth, fit, seed)
        yield name, scaled_figures(probabilities, truth, task.kind, seed, resamples)
    if shipped is not None:
        probabilities = task.probabilities(logits, shipped)
        yield "shipped", scaled_figures(probabilities, truth, task.kind, seed, resamples)


def _precision_recall(
    task: Task, probabilities: Floats, truth: Decided
) -> dict[str, PrecisionRecall]:
    """Of each label; of yes or no, of the yes."""
    if task.kind is Kind.YES_NO:
        columns = {task.labels[1]: (probabilities, truth == 1)}
    elif task.kind is Kind.ONE_OF:
        columns = {
            label: (probabilities[:, index], truth == index)
            for index, label in enumerate(task.labels)
        }
    else:
        columns = {
            label: (probabilities[:, index], truth[:, index])
            for index, label in enumerate(task.labels)
        }
    found = {label: precision_recall(*column) for label, column in columns.items()}
    return {label: curve for label, curve in found.items() if curve is not None}


def _with_kept(report: TaskReport, answers: Answers, right: NDArray[np.bool_]) -> TaskReport:
    """What the checkpoint's own threshold keeps."""
    kept = answers.abstained == 0
    return replace(
        report,
        kept_share=interval(lambda rows: float(kept[rows].mean()), len(kept), 0),
        kept_accuracy=interval(
            lambda rows: float((kept & right)[rows].sum() / max(1, kept[rows].sum())),
            len(kept),
            0,
        ),
    )
