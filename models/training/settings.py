"""Training settings, read from a YAML file in one place."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import yaml


@dataclass(frozen=True)
class TextStageSettings:
    """Stage (a): full fine-tuning of the text path on all text tasks."""

    epochs: float
    batch_size: int
    max_tokens: int
    encoder_learning_rate: float
    learning_rate: float
    weight_decay: float
    warmup_share: float
    save_every_steps: int
    class_balance: float
    repeats: dict[str, int]
    loss_weights: dict[str, float]


@dataclass(frozen=True)
class FusionStageSettings:
    """Stage (b): the image path and the fusion on pairs, the text path frozen."""

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    image_only_share: float
    contrastive_weight: float
    keep_weight: float
    averaging: float


@dataclass(frozen=True)
class TrainingSettings:
    """Everything a training run depends on, apart from the data."""

    version: str
    seed: int
    text_encoder: str
    image_encoder: str
    joint_width: int
    fusion_score: str
    max_tokens: int
    text: TextStageSettings
    fusion: FusionStageSettings
    image_encoder_options: dict[str, Any] = field(default_factory=dict)
    image_weights: str | None = None


def load_settings(file: Path) -> TrainingSettings:
    """Reads and checks a training configuration.

    Raises:
        ValueError: a key is missing, unknown or of the wrong type; names the key.
    """
    try:
        return msgspec.convert(
            yaml.safe_load(file.read_text(encoding="utf-8")), TrainingSettings, strict=True
        )
    except msgspec.ValidationError as error:
        raise ValueError(f"{file}: {error}; compare models/configs/default.yaml") from error
