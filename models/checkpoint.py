"""A trained model as a folder that needs nothing else: weights, configuration, tokenizer.

What scoring needs to know is read without torch; only its own networks ask for that.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from models.labels import EMOTIONS, HEADS, SENTIMENTS
from models.text_tokenizer import TextTokenizer

if TYPE_CHECKING:
    from torch import Tensor, nn

    from models.image_encoder import ImageEncoder
    from models.mood_model import MoodModel
    from models.text_encoder import TextEncoder

DEFAULT_CHECKPOINT: Final = Path(__file__).parent / "checkpoints" / "default"  # it ships
FORMAT: Final = 1
CONFIG_FILE: Final = "config.json"
WEIGHTS_FILE: Final = "weights.safetensors"
TOKENIZER_FILE: Final = "tokenizer.json"
GRAPH_SUFFIX: Final = ".onnx"


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
class Description:
    """What scoring needs besides the networks. `version` names the model in every reading."""

    version: str
    tokenizer: TextTokenizer
    calibration: Calibration


@dataclass(frozen=True)
class Checkpoint:
    """Everything that scoring and training need, the networks as torch modules."""

    version: str
    text_encoder: TextEncoder
    image_encoder: ImageEncoder
    mood: MoodModel
    tokenizer: TextTokenizer
    calibration: Calibration


def save_checkpoint(checkpoint: Checkpoint, folder: Path) -> None:
    """Writes the folder; existing files of the same names are replaced.

    Graphs that were exported from earlier weights go: `moodwire export` makes new ones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for graph in folder.glob(f"*{GRAPH_SUFFIX}"):
        graph.unlink()
    (folder / CONFIG_FILE).write_text(json.dumps(_config(checkpoint), indent=2) + "\n", "utf-8")
    save_weights(_parts(checkpoint).state_dict(), folder / WEIGHTS_FILE)
    checkpoint.tokenizer.save(folder / TOKENIZER_FILE)


def save_weights(
    state: dict[str, Tensor], file: Path, metadata: dict[str, str] | None = None
) -> None:
    """Writes weights in 8 bits, for whoever may read the configuration beside them.

    A file that `safetensors` makes is its owner's alone, so a worker of another user could not read
    what was trained.
    """
    from safetensors.torch import save_file

    from models.quantisation import pack

    save_file(pack(state), file, metadata)
    shutil.copymode(file.with_name(CONFIG_FILE), file)


def describe_checkpoint(folder: str | Path) -> Description:
    """Reads all but the networks, without torch.

    Raises:
        CheckpointError: a file is missing or damaged, or was written by another format.
    """
    folder = Path(folder)
    config = _read_config(folder)
    existing(folder / WEIGHTS_FILE)
    try:
        return _describe(config, folder)
    except (KeyError, TypeError) as error:
        raise _no_model(folder, error) from error


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
        raise _no_model(folder, error) from error
    parts = _parts(checkpoint)
    try:
        parts.load_state_dict(_read_weights(folder), strict=True)
    except RuntimeError as error:
        problem = f"does not fit {CONFIG_FILE}: {error}"
        raise unusable(folder / WEIGHTS_FILE, problem) from error
    parts.eval().requires_grad_(False)
    return checkpoint


def existing(file: Path) -> Path:
    """The file.

    Raises:
        CheckpointError: there is none.
    """
    if not file.is_file():
        raise unusable(file, "is missing")
    return file


def unusable(file: Path, problem: str) -> CheckpointError:
    """An error that names the file, the problem and the remedy."""
    return CheckpointError(
        f"{file} {problem}; name a folder that `moodwire train` wrote, or the shipped "
        "models/checkpoints/default (reinstall Moodwire if that one is broken)"
    )


def _no_model(folder: Path, error: Exception) -> CheckpointError:
    return unusable(folder / CONFIG_FILE, f"does not describe a model ({error!r})")


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
    file = existing(folder / CONFIG_FILE)
    try:
        config: dict[str, Any] = json.loads(file.read_text("utf-8"))
        labels, written = config["labels"], config["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise unusable(file, f"is not a checkpoint's configuration ({error!r})") from error
    if written != FORMAT:
        raise unusable(file, f"has format {written}, this version reads {FORMAT}")
    if labels != {"sentiment": list(SENTIMENTS), "emotions": list(EMOTIONS)}:
        raise unusable(file, "lists other labels than models/labels.py")
    return config


def _describe(config: dict[str, Any], folder: Path) -> Description:
    tokenizer_file = existing(folder / TOKENIZER_FILE)
    try:
        tokenizer = TextTokenizer.from_file(tokenizer_file, config["max_tokens"])
    except KeyError:
        raise
    except Exception as error:  # `tokenizers` raises nothing more precise
        raise unusable(tokenizer_file, f"is not a tokenizer ({error})") from error
    calibration = Calibration(**config["calibration"])
    if missing := HEADS.keys() - calibration.temperatures.keys():
        raise KeyError(f"calibration.temperatures: {sorted(missing)}")
    return Description(config["version"], tokenizer, calibration)


def _build(config: dict[str, Any], folder: Path) -> Checkpoint:
    from models.image_encoder import ImageEncoder
    from models.mood_model import MoodModel, MoodModelConfig
    from models.text_encoder import TextEncoder

    described = _describe(config, folder)
    return Checkpoint(
        described.version,
        TextEncoder.from_config(config["text_encoder"]),
        ImageEncoder.from_config(config["image_encoder"]),
        MoodModel(MoodModelConfig(**config["mood"])),
        described.tokenizer,
        described.calibration,
    )


def _read_weights(folder: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from models.quantisation import unpack

    file = existing(folder / WEIGHTS_FILE)
    try:
        return unpack(load_file(file))
    except (SafetensorError, OSError) as error:
        raise unusable(file, f"is damaged ({error})") from error


def _parts(checkpoint: Checkpoint) -> nn.ModuleDict:
    import torch
    from torch import nn

    parts = {
        "text_encoder": checkpoint.text_encoder,
        "image_encoder": checkpoint.image_encoder,
        "mood": checkpoint.mood,
    }
    return nn.ModuleDict({name: part.to(torch.float32) for name, part in parts.items()})
