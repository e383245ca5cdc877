"""The text tasks: where their answers are in a reading, and which figures count."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.calibration import Floats, sigmoid, softmax
from models.evaluation.answers import Answers
from models.evaluation.calibrated import Kind
from models.evaluation.intervals import TruthFigure
from models.evaluation.scaling import (
    Fit,
    sigmoid_temperature,
    sigmoid_vector,
    softmax_temperature,
    softmax_vector,
    unscaled_sigmoid,
    unscaled_softmax,
)
from models.labels import EMOTIONS, SENTIMENTS, TWEET_EMOTION_INDEXES, TWEET_EMOTIONS
from models.training.answers import sigmoid_logits, softmax_logits
from models.training.figures import accuracy, f1_scores, macro_recall, several_label_f1

Figures = dict[str, TruthFigure]
Decided = NDArray[Any]  # (rows,) classes, or (rows, labels) of bool
EMOTION_HOLDS: Final = 0.3  # GoEmotions' customary threshold
FOUR: Final = list(TWEET_EMOTION_INDEXES)


@dataclass(frozen=True)
class Task:
    """A labelled text task. The first of `figures` is its headline.

    Attributes:
        name: of its data, a key of `models.training.data.TASKS`.
        says: what people call it.
        kind: what an answer is.
        labels: in the order of the logits.
        head: whose temperature the checkpoint divides by; None: readings hold no such answer.
        figures: by name, from truth and decisions.
    """

    name: str
    says: str
    kind: Kind
    labels: tuple[str, ...]
    head: str | None
    figures: Figures

    def logits(self, answers: Answers, temperatures: dict[str, float]) -> Floats:
        """Logits before any temperature, up to a constant a row: (rows, classes) or (rows,)."""
        if self.name == "sentiment":
            return softmax_logits(answers.sentiment, temperatures["sentiment"])
        if self.name == "tweet_emotion":
            return sigmoid_logits(answers.emotions[:, FOUR], temperatures["emotions"])
        return sigmoid_logits(getattr(answers, self.name), temperatures[self.name])

    def probabilities(self, logits: Floats, temperature: float = 1.0) -> Floats:
        """What the logits mean at a temperature."""
        return (softmax if self.kind is Kind.ONE_OF else sigmoid)(logits, temperature)

    def decide(self, probabilities: Floats) -> Decided:
        """The answer: a class a row, or which labels hold."""
        if self.kind is Kind.ONE_OF:
            return np.asarray(probabilities.argmax(axis=1))
        if self.kind is Kind.YES_NO:
            return np.asarray((probabilities >= 0.5).astype(np.int64))
        return np.asarray(probabilities >= EMOTION_HOLDS)

    def decided(self, answers: Answers, temperatures: dict[str, float]) -> Decided:
        """What readings say: the answers at the temperatures that ship, decided."""
        temperature = temperatures[self.head] if self.head else 1.0
        return self.decide(self.probabilities(self.logits(answers, temperatures), temperature))

    @property
    def scalings(self) -> dict[str, Fit]:
        """Ways to scale the logits, by name."""
        if self.kind is Kind.ONE_OF:
            fits = (unscaled_softmax, softmax_temperature, softmax_vector)
        else:
            fits = (unscaled_sigmoid, sigmoid_temperature, sigmoid_vector)
        return dict(zip(("none", "temperature", "vector"), fits, strict=True))

    def f1_by_label(self, truth: Decided, decided: Decided) -> Floats:
        """F1 of each label, (labels,)."""
        if self.kind is Kind.SEVERAL:
            return several_label_f1(truth, decided)
        return f1_scores(truth, decided, len(self.labels))


def _macro_recall(classes: int) -> TruthFigure:
    return lambda truth, decided: macro_recall(truth, decided, classes)


def _macro_f1(classes: int) -> TruthFigure:
    return lambda truth, decided: float(f1_scores(truth, decided, classes).mean())


def _f1_of_yes(truth: Decided, decided: Decided) -> float:
    return float(f1_scores(truth, decided, 2)[1])


def _several_macro_f1(truth: Decided, decided: Decided) -> float:
    return float(several_label_f1(truth, decided).mean())


def _several_micro_f1(truth: Decided, decided: Decided) -> float:
    return float(2 * (truth & decided).sum() / max(1, truth.sum() + decided.sum()))


_SENTIMENT: Figures = {
    "macro_recall": _macro_recall(3),
    "accuracy": accuracy,
    "macro_f1": _macro_f1(3),
}
_IRONY: Figures = {"f1": _f1_of_yes, "macro_f1": _macro_f1(2), "accuracy": accuracy}
_OFFENCE: Figures = {"macro_f1": _macro_f1(2), "f1": _f1_of_yes, "accuracy": accuracy}
_SEVERAL: Figures = {"macro_f1": _several_macro_f1, "micro_f1": _several_micro_f1}
_FOUR: Figures = {"macro_f1": _macro_f1(4), "accuracy": accuracy}

TEXT_TASKS: Final = {
    task.name: task
    for task in (
        Task("sentiment", "Sentiment", Kind.ONE_OF, SENTIMENTS, "sentiment", _SENTIMENT),
        Task("tweet_emotion", "Four emotions", Kind.ONE_OF, TWEET_EMOTIONS, None, _FOUR),
        Task("emotions", "28 emotions", Kind.SEVERAL, EMOTIONS, "emotions", _SEVERAL),
        Task("irony", "Irony", Kind.YES_NO, ("no irony", "irony"), "irony", _IRONY),
        Task("offence", "Offence", Kind.YES_NO, ("no offence", "offence"), "offence", _OFFENCE),
    )
}
