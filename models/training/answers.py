"""Scores of labelled data as arrays, from a checkpoint as it is shipped."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.labels import EMOTIONS, SENTIMENTS
from models.scorer import ScoreInput, Scorer, Scores
from models.training.data import Example

Floats = NDArray[np.float64]
_SMALLEST = 5e-7  # half of the last decimal that scores are rounded to


def score_examples(scorer: Scorer, examples: Sequence[Example]) -> list[Scores]:
    """Scores labelled texts."""
    return scorer.score([ScoreInput(example.text) for example in examples])


def first_targets(examples: Sequence[Example]) -> NDArray[np.int64]:
    """The class of every example of a single-label task, (rows,)."""
    return np.array([example.target[0] for example in examples], dtype=np.int64)


def several_targets(examples: Sequence[Example]) -> NDArray[np.bool_]:
    """Which emotions hold, (rows, 28)."""
    held = np.zeros((len(examples), len(EMOTIONS)), dtype=np.bool_)
    for row, example in enumerate(examples):
        held[row, list(example.target)] = True
    return held


def sentiment_probabilities(scores: Sequence[Scores]) -> Floats:
    """(rows, 3)."""
    return np.array([[one.sentiment[name] for name in SENTIMENTS] for one in scores])


def emotion_probabilities(scores: Sequence[Scores]) -> Floats:
    """(rows, 28)."""
    return np.array([[one.emotions[name] for name in EMOTIONS] for one in scores])


def binary_probabilities(scores: Sequence[Scores], head: str) -> Floats:
    """(rows,) of irony or offence."""
    return np.array([getattr(one, head) for one in scores], dtype=np.float64)


def softmax_logits(probabilities: Floats, temperature: float = 1.0) -> Floats:
    """Logits up to a constant per row, undoing softmax and temperature."""
    return np.asarray(np.log(np.maximum(probabilities, _SMALLEST)) * temperature)


def sigmoid_logits(probabilities: Floats, temperature: float = 1.0) -> Floats:
    """Logits, undoing sigmoid and temperature."""
    safe = np.clip(probabilities, _SMALLEST, 1 - _SMALLEST)
    return np.asarray(np.log(safe / (1 - safe)) * temperature)
