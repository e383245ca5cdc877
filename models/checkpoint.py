"""A trained model as a folder that needs nothing else: weights, configuration, tokenizer."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models.image_encoder import ImageEncoder
from models.labels import EMOTIONS, HEADS, SENTIMENTS
from models.mood_model import MoodModel, MoodModelConfig
from models.quantisation import pack, unpack
from models.text_encoder import TextEncoder, TextTokenizer

DEFAULT_CHECKPOINT: Final = Path(__file__).parent / "checkpoints" / "default"  # it ships
FORMAT: Final = 1
CONFIG_FILE: Final = "config.json"
WEIGHTS_FILE: Final = "weights.safetensors"
TOKENIZER_FILE: Final = "tokenizer.json"


class CheckpointError(ValueError):
    """A checkpoint folder cannot be used; the message names the file and the remedy."""


@dataclass(frozen=True)
class Calibration:
    """How logits become probabilities.

    Attributes:
        temperatures: by head; logits are divided by it.
        abstain_below: a reading less confident than this abstains.
    """

    temperatures: dict[str, float]
    abstain_below: float


@dataclass(frozen=True)
class Checkpoint:
    """Everything that scoring needs. `version` names the model in every reading."""

    version: str
    text_encoder: TextEncoder
    image_encoder: ImageEncoder
    mood: MoodModel
    tokenizer: TextTokenizer
    calibration: Calibration


def save_checkpoint(checkpoint: Checkpoint, folder: Path) -> None:
    """Writes the folder; existing files of the same names are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG_FILE).write_text(json.dumps(_config(checkpoint), indent=2) + "\n", "utf-8")
    save_file(pack(_parts(checkpoint).state_dict()), folder / WEIGHTS_FILE)
    checkpoint.tokenizer.save(folder / TOKENIZER_FILE)


def load_checkpoint(folder: str | Path) -> Checkpoint:
    """Loads a folder that `save_checkpoint` wrote, offline, in evaluation mode.

    Raises:
        CheckpointError: a file is missing or damaged, or was written by another format.
    """
    folder = Path(folder)
    config = _read_config(folder)
    try:
        checkpoint = _build(config, folder)
    except (KeyError, TypeError) as error:
        raise _error(folder / CONFIG_FILE, f"does not describe a model ({error!r})") from error
    parts = _parts(checkpoint)
    try:
        parts.load_state_dict(_read_weights(folder), strict=True)
    except RuntimeError as error:
        raise _error(folder / WEIGHTS_FILE, f"does not fit {CONFIG_FILE}: {error}") from error
    parts.eval().requires_grad_(False)
    return checkpoint


def _config(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": checkpoint.version,
        "text_encoder": checkpoint.text_encoder.config_dict(),
        "image_encoder": checkpoint.image_encoder.config_dict(),
        "mood": dataclasses.asdict(checkpoint.mood.config),
        "max_tokens": checkpoint.tokenizer.max_tokens,
        "calibration": dataclasses.asdict(checkpoint.calibration),
        "labels": {"sentiment": list(SENTIMENTS), "emotions": list(EMOTIONS)},
    }


def _read_config(folder: Path) -> dict[str, Any]:
    file = _existing(folder / CONFIG_FILE)
    try:
        config: dict[str, Any] = json.loads(file.read_text("utf-8"))
        labels, written = config["labels"], config["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise _error(file, f"is not a checkpoint's configuration ({error!r})") from error
    if written != FORMAT:
        raise _error(file, f"has format {written}, this version reads {FORMAT}")
    if labels != {"sentiment": list(SENTIMENTS), "emotions": list(EMOTIONS)}:
        raise _error(file, "lists other labels than models/labels.py")
    return config


def _build(config: dict[str, Any], folder: Path) -> Checkpoint:
    tokenizer_file = _existing(folder / TOKENIZER_FILE)
    try:
        tokenizer = TextTokenizer.from_file(tokenizer_file, config["max_tokens"])
    except KeyError:
        raise
    except Exception as error:  # `tokenizers` raises nothing more precise
        raise _error(tokenizer_file, f"is not a tokenizer ({error})") from error
    calibration = Calibration(**config["calibration"])
    if missing := HEADS.keys() - calibration.temperatures.keys():
        raise KeyError(f"calibration.temperatures: {sorted(missing)}")
    return Checkpoint(
        config["version"],
        TextEncoder.from_config(config["text_encoder"]),
        ImageEncoder.from_config(config["image_encoder"]),
        MoodModel(MoodModelConfig(**config["mood"])),
        tokenizer,
        calibration,
    )


def _read_weights(folder: Path) -> dict[str, Tensor]:
    file = _existing(folder / WEIGHTS_FILE)
    try:
        return unpack(load_file(file))
    except (SafetensorError, OSError) as error:
        raise _error(file, f"is damaged ({error})") from error


def _parts(checkpoint: Checkpoint) -> nn.ModuleDict:
    parts = {
        "text_encoder": checkpoint.text_encoder,
        "image_encoder": checkpoint.image_encoder,
        "mood": checkpoint.mood,
    }
    return nn.ModuleDict({name: part.to(torch.float32) for name, part in parts.items()})


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise _error(file, "is missing")
    return file


def _error(file: Path, problem: str) -> CheckpointError:
    return CheckpointError(
        f"{file} {problem}; name a folder that `moodwire train` wrote, or the shipped "
        "models/checkpoints/default (reinstall Moodwire if that one is broken)"
    )
