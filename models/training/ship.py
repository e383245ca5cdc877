"""From trained parts to a calibrated checkpoint folder."""

import dataclasses
from pathlib import Path

import numpy as np

from models.calibration import (
    abstention_threshold,
    fit_sigmoid_temperature,
    fit_softmax_temperature,
    softmax,
)
from models.checkpoint import (
    Calibration,
    Checkpoint,
    CheckpointError,
    load_checkpoint,
    save_checkpoint,
)
from models.engines.export import CALIBRATING, export_checkpoint
from models.evaluation.features import rendition
from models.evaluation.labelled import PAIRS, load_pairs
from models.image_encoder import ImageEncoder
from models.labels import HEADS
from models.scorer import Scorer
from models.training.answers import (
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
from models.training.settings import TrainingSettings
from models.training.text_stage import TextModel

_UNCALIBRATED = Calibration(dict.fromkeys(HEADS, 1.0), abstain_below=0.0)
_KEPT_ACCURACY = 0.75  # the readings that do not abstain are right this often


def ship(
    model: TextModel,
    image_encoder: ImageEncoder,
    settings: TrainingSettings,
    data: Path,
    folder: Path,
) -> None:
    """Writes the checkpoint, then calibrates what the rounded weights say and writes again."""
    for part in (model.encoder, image_encoder, model.mood):
        part.to("cpu")
    checkpoint = Checkpoint(
        settings.version, model.encoder, image_encoder, model.mood, model.tokenizer, _UNCALIBRATED
    )
    save_checkpoint(checkpoint, folder)
    calibration = calibrate(Scorer(load_checkpoint(folder)), data)
    save_checkpoint(dataclasses.replace(checkpoint, calibration=calibration), folder)
    _export(folder, _pictures(data) if checkpoint.mood.config.reads_images else [])
    print(f"checkpoint in {folder}: {calibration}", flush=True)


def _pictures(data: Path) -> list[bytes]:
    """Training pictures, by which the image encoder is made to run in 8 bits."""
    if not (data / PAIRS).is_dir():
        return []
    return [rendition(file) for file in load_pairs(data, "train").images[:CALIBRATING]]


def _export(folder: Path, images: list[bytes]) -> None:
    """Graphs for serving; torch serves what ONNX cannot express."""
    try:
        export_checkpoint(folder, folder, images=images)
    except CheckpointError as error:
        print(f"not exported: {error}", flush=True)


def calibrate(scorer: Scorer, data: Path) -> Calibration:
    """Temperatures and threshold from the validation parts, for a scorer without temperatures."""
    parts = {
        task: load_task(data, task, "validation")
        for task in ("sentiment", "emotions", "irony", "offence")
    }
    scores = {task: score_examples(scorer, examples) for task, examples in parts.items()}
    sentiment = softmax_logits(sentiment_probabilities(scores["sentiment"]))
    truth = first_targets(parts["sentiment"])
    emotions = sigmoid_logits(emotion_probabilities(scores["emotions"]))
    temperatures = {
        "sentiment": fit_softmax_temperature(sentiment, truth),
        "emotions": fit_sigmoid_temperature(emotions, several_targets(parts["emotions"])),
    }
    for head in ("irony", "offence"):
        logits = sigmoid_logits(binary_probabilities(scores[head], head))
        held = first_targets(parts[head]).astype(np.bool_)
        temperatures[head] = fit_sigmoid_temperature(logits, held)
    calibrated = softmax(sentiment, temperatures["sentiment"])
    right = calibrated.argmax(axis=1) == truth
    threshold = abstention_threshold(calibrated.max(axis=1), right, _KEPT_ACCURACY)
    return Calibration(
        {head: round(value, 4) for head, value in temperatures.items()}, round(threshold, 4)
    )
