"""From data to a checkpoint folder, stage by stage; `moodwire train` calls it."""

import random
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch

from models.checkpoint import Checkpoint, load_checkpoint
from models.image_encoder import ImageEncoder
from models.mood_model import MoodModel, MoodModelConfig
from models.text_encoder import TextEncoder
from models.text_tokenizer import TextTokenizer
from models.training.align_stage import train_align
from models.training.data import TrainingDataError
from models.training.features import FeatureStore
from models.training.fusion_stage import train_fusion
from models.training.image_top import ImageTop
from models.training.loop import Run
from models.training.machine import choose_machine
from models.training.name_pictures import annotator_of
from models.training.pair_model import PairModel
from models.training.pairs import Parts, encode_pairs, labelled_pairs, stream_pairs
from models.training.settings import (
    AlignStageSettings,
    TrainingSettings,
    TrainingSettingsError,
    load_settings,
)
from models.training.ship import ship
from models.training.text_stage import TextModel, train_text

STAGES: Final = ("text", "align", "fusion", "all")
_IMAGE_STAND_IN: Final = "test_efficientnet"  # timm's smallest: a checkpoint holds some encoder


@dataclass(frozen=True)
class Order:
    """What is to be trained: settings file, data, folder of the result, and up to which stage."""

    config: Path
    data: Path
    output: Path
    stage: str = "all"
    resume: bool = True
    threads: int | None = None


def train(order: Order) -> Path:
    """Runs the stages and writes `OUTPUT/checkpoint`. Start again after a kill to go on.

    A stage whose state in OUTPUT is finished is not run again, so `--stage fusion` after
    `--stage text` trains the rest.

    Raises:
        TrainingSettingsError: the configuration cannot be used.
        TrainingDataError: data that a stage needs is missing.
    """
    settings = load_settings(order.config)
    if not order.data.is_dir():
        raise TrainingDataError(f"--data {order.data}: no such folder; see docs/training.md")
    order.output.mkdir(parents=True, exist_ok=True)
    if not order.resume:
        for file in order.output.glob("*.pt"):
            file.unlink()
    if order.threads is not None:
        torch.set_num_threads(order.threads)
    seed_everything(settings.seed)
    stages = stages_of(settings, order.stage)
    run = Run(choose_machine(settings.precision), order.output, settings.seed)
    start = None if settings.start_from is None else load_checkpoint(settings.start_from)
    model, image_encoder = build(settings, order.data, start)
    train_text(model, settings.text, order.data, run, fresh=start is None)
    if start is None or not start.mood.config.pair_path:
        model.mood.start_pair_path()
    for stage in stages[1:]:
        train_pairs(stage, model, image_encoder, settings, data=order.data, run=run)
    if settings.fusion is not None and "fusion" not in stages:
        model.mood.config = replace(model.mood.config, reads_images=False)
    folder = order.output / "checkpoint"
    ship(model, image_encoder, settings, order.data, folder)
    annotator = annotator_of(settings, image_encoder, order.data)
    if annotator is not None and model.mood.config.reads_images:
        annotator.save(folder)
    return folder


def stages_of(settings: TrainingSettings, last: str) -> list[str]:
    """The stages that the settings have, in order, up to the last one wanted.

    Raises:
        TrainingSettingsError: the settings have no such stage.
    """
    stages = [name for name in STAGES[:-1] if getattr(settings, name) is not None]
    if last == "all":
        return stages
    if last not in stages:
        raise TrainingSettingsError(
            f"--stage {last}: the settings have no section `{last}`; they have {', '.join(stages)}"
        )
    return stages[: stages.index(last) + 1]


def train_pairs(
    stage: str,
    model: TextModel,
    image_encoder: ImageEncoder,
    settings: TrainingSettings,
    *,
    data: Path,
    run: Run,
) -> None:
    """The align stage on all pairs at hand, or the fusion stage on the labelled ones."""
    own = settings.align if stage == "align" else settings.fusion
    assert own is not None
    torch.manual_seed(run.seed)
    top = ImageTop(image_encoder, own.train_image_from).to(run.machine.device)
    pair_model = PairModel(model.mood, top).to(run.machine.device)
    model.encoder.to(run.machine.device)
    raw = labelled_pairs(data, "train")
    if isinstance(own, AlignStageSettings):
        raw += stream_pairs(data)
    store = FeatureStore(run.out / "features")
    text = (model.tokenizer, model.encoder)
    parts = Parts(
        encode_pairs(raw, text, top, store),
        encode_pairs(labelled_pairs(data, "validation"), text, top, store),
    )
    if isinstance(own, AlignStageSettings):
        train_align(pair_model, own, parts, run)
    else:
        train_fusion(pair_model, own, parts, run)


def build(
    settings: TrainingSettings, data: Path, start: Checkpoint | None = None
) -> tuple[TextModel, ImageEncoder]:
    """The encoders to start from and a fresh mood model, or all of another checkpoint.

    Raises:
        TrainingSettingsError: a model that is named cannot be had.
    """
    torch.manual_seed(settings.seed)
    if start is not None:
        return _from_checkpoint(start, settings)
    image_encoder = build_image_encoder(settings, data)
    try:
        encoder = TextEncoder.from_name(settings.text_encoder)
        tokenizer = TextTokenizer.from_name(settings.text_encoder, settings.max_tokens)
    except (OSError, ValueError) as error:
        raise TrainingSettingsError(
            f"text_encoder: {settings.text_encoder!r} cannot be loaded ({error}); name a folder "
            "with config.json, tokenizer.json and weights, or a model of the hub that is reachable"
        ) from error
    config = MoodModelConfig(
        text_width=encoder.width,
        image_width=image_encoder.width,
        joint_width=settings.joint_width,
        heads=settings.joint_heads,
        fusion_score=settings.fusion_score,
        cross_attention=settings.cross_attention,
        pair_path=settings.pair_path,
        reads_images=settings.fusion is not None,
    )
    return TextModel(tokenizer, encoder, MoodModel(config)), image_encoder


def _from_checkpoint(
    checkpoint: Checkpoint, settings: TrainingSettings
) -> tuple[TextModel, ImageEncoder]:
    tokenizer = TextTokenizer.from_tokenizer(checkpoint.tokenizer, settings.max_tokens)
    had = checkpoint.mood.config
    config = replace(
        had,
        reads_images=had.reads_images or settings.fusion is not None,
        pair_path=had.pair_path or settings.pair_path,
    )
    mood = MoodModel(config)
    mood.load_state_dict(checkpoint.mood.state_dict(), strict=config.pair_path == had.pair_path)
    checkpoint.text_encoder.requires_grad_(True)
    return TextModel(tokenizer, checkpoint.text_encoder, mood), checkpoint.image_encoder


def build_image_encoder(settings: TrainingSettings, data: Path) -> ImageEncoder:
    """The image encoder with the weights that the configuration names, else timm's own.

    Raises:
        TrainingSettingsError: timm has no such model, or its weights cannot be had.
    """
    if settings.image_encoder is None:
        return ImageEncoder.from_name(_IMAGE_STAND_IN, pretrained=False)
    given = settings.image_weights
    try:
        encoder = ImageEncoder.from_name(
            settings.image_encoder,
            pretrained=settings.image_pretrained and given is None,
            options=settings.image_encoder_options,
        )
    except (OSError, RuntimeError, ValueError) as error:
        raise TrainingSettingsError(
            f"image_encoder: {settings.image_encoder!r} cannot be loaded ({error}); name a timm "
            "model, `local-dir:FOLDER`, or set image_pretrained: false"
        ) from error
    if given is not None:
        from models.training.mobilenet_weights import load_into

        load_into(encoder, data / given)
    return encoder


def seed_everything(seed: int) -> None:
    """Seeds every generator that training draws from."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
