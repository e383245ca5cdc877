"""Figures of a shipped checkpoint: `python -m models.training.evaluate --checkpoint D --data D`."""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.calibration import (
    expected_calibration_error,
    fit_sigmoid_temperature,
    fit_softmax_temperature,
    sigmoid,
    softmax,
)
from models.checkpoint import load_checkpoint
from models.labels import SENTIMENTS, TWEET_EMOTION_INDEXES, TWEET_EMOTIONS
from models.scorer import Scorer
from models.training.answers import (
    Floats,
    binary_probabilities,
    emotion_probabilities,
    first_targets,
    score_examples,
    sentiment_probabilities,
    several_targets,
    sigmoid_logits,
    softmax_logits,
)
from models.training.data import load_task
from models.training.evaluate_pairs import pair_figures
from models.training.figures import accuracy, f1_scores, recalls, several_label_f1

Figures = dict[str, Any]
Classes = NDArray[np.int64]
_EMOTION_HOLDS = 0.3  # GoEmotions' customary threshold


def main() -> None:
    """Prints the figures as JSON and writes them to --out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder with text/ and pairs/")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    arguments = parser.parse_args()
    written = json.dumps(evaluate(arguments.checkpoint, arguments.data), indent=2)
    print(written)
    if arguments.out:
        arguments.out.write_text(written + "\n", "utf-8")


def evaluate(folder: Path, data: Path) -> Figures:
    """All figures on the validation parts, from the rounded weights through the scorer."""
    checkpoint = load_checkpoint(folder)
    scorer, temperatures = Scorer(checkpoint), checkpoint.calibration.temperatures
    started = time.monotonic()
    figures: Figures = {
        "model": scorer.model,
        "sentiment": sentiment_figures(scorer, data, temperatures["sentiment"]),
        "tweet_emotion": tweet_emotion_figures(scorer, data),
        "emotions": emotion_figures(scorer, data, temperatures["emotions"]),
        "irony": binary_figures(scorer, data, "irony", temperatures["irony"]),
        "offence": binary_figures(scorer, data, "offence", temperatures["offence"]),
        "pairs": pair_figures(checkpoint, data),
        "seconds": time.monotonic() - started,
    }
    rounded: Figures = json.loads(json.dumps(figures), parse_float=lambda x: round(float(x), 4))
    return rounded


def sentiment_figures(scorer: Scorer, data: Path, temperature: float) -> Figures:
    """Macro-recall, calibration and what abstention brings."""
    examples = load_task(data, "sentiment", "validation")
    scores = score_examples(scorer, examples)
    truth, probabilities = first_targets(examples), sentiment_probabilities(scores)
    predicted = probabilities.argmax(axis=1)
    kept = ~np.array([one.abstained for one in scores])
    return {
        "macro_recall": recalls(truth, predicted, len(SENTIMENTS)).mean(),
        "accuracy": accuracy(truth, predicted),
        "kept_share": kept.mean(),
        "kept_accuracy": accuracy(truth[kept], predicted[kept]),
        "accuracy_of_surest": _accuracy_of_surest(probabilities, truth),
        "ece": _softmax_ece(softmax_logits(probabilities, temperature), truth, temperature),
    }


def tweet_emotion_figures(scorer: Scorer, data: Path) -> Figures:
    """Macro-F1 of the likeliest of TweetEval's four."""
    examples = load_task(data, "tweet_emotion", "validation")
    probabilities = emotion_probabilities(score_examples(scorer, examples))
    predicted = probabilities[:, list(TWEET_EMOTION_INDEXES)].argmax(axis=1)
    scores = f1_scores(first_targets(examples), predicted, len(TWEET_EMOTIONS))
    by_label = dict(zip(TWEET_EMOTIONS, scores.tolist(), strict=True))
    return {"macro_f1": scores.mean(), "f1": by_label}


def emotion_figures(scorer: Scorer, data: Path, temperature: float) -> Figures:
    """Macro-F1 of GoEmotions' 28 at one threshold, and calibration over all labels."""
    examples = load_task(data, "emotions", "validation")
    probabilities = emotion_probabilities(score_examples(scorer, examples))
    held = several_targets(examples)
    scores = several_label_f1(held, probabilities >= _EMOTION_HOLDS)
    logits = sigmoid_logits(probabilities, temperature)
    before = expected_calibration_error(sigmoid(logits).ravel(), held.ravel())
    after = expected_calibration_error(probabilities.ravel(), held.ravel())
    return {
        "macro_f1": scores.mean(),
        "threshold": _EMOTION_HOLDS,
        "ece": {"before": before, "after": after},
    }


def binary_figures(scorer: Scorer, data: Path, head: str, temperature: float) -> Figures:
    """F1, accuracy and calibration of irony or offence."""
    examples = load_task(data, head, "validation")
    probabilities = binary_probabilities(score_examples(scorer, examples), head)
    truth = first_targets(examples)
    scores = f1_scores(truth, (probabilities >= 0.5).astype(np.int64), 2)
    logits = sigmoid_logits(probabilities, temperature)
    return {
        "f1": scores[1],
        "macro_f1": scores.mean(),
        "accuracy": accuracy(truth, (probabilities >= 0.5).astype(np.int64)),
        "ece": _binary_ece(logits, truth.astype(np.bool_), temperature),
    }


def _accuracy_of_surest(probabilities: Floats, truth: Classes) -> dict[str, float]:
    """The abstention curve: accuracy of the surest share of the readings."""
    order = np.argsort(-probabilities.max(axis=1), kind="stable")
    right = (probabilities.argmax(axis=1) == truth)[order]
    shares = range(50, 101, 10)
    return {f"{share}%": float(right[: len(right) * share // 100].mean()) for share in shares}


def _softmax_ece(logits: Floats, truth: Classes, temperature: float) -> dict[str, float]:
    def error(rows: slice, used: float) -> float:
        probabilities = softmax(logits[rows], used)
        right = probabilities.argmax(axis=1) == truth[rows]
        return expected_calibration_error(probabilities.max(axis=1), right)

    even, odd = slice(0, None, 2), slice(1, None, 2)
    held_out = error(odd, fit_softmax_temperature(logits[even], truth[even]))
    everything = slice(None)
    return {
        "before": error(everything, 1.0),
        "after": error(everything, temperature),
        "half_held_out": held_out,
    }


def _binary_ece(logits: Floats, held: NDArray[np.bool_], temperature: float) -> dict[str, float]:
    def error(rows: slice, used: float) -> float:
        probabilities = sigmoid(logits[rows], used)
        right = (probabilities >= 0.5) == held[rows]
        return expected_calibration_error(np.maximum(probabilities, 1 - probabilities), right)

    even, odd = slice(0, None, 2), slice(1, None, 2)
    held_out = error(odd, fit_sigmoid_temperature(logits[even], held[even]))
    everything = slice(None)
    return {
        "before": error(everything, 1.0),
        "after": error(everything, temperature),
        "half_held_out": held_out,
    }


if __name__ == "__main__":
    main()
