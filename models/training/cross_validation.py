"""Fits on some pairs and predicts others, for each fold in turn."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from models.image_encoder import ImageEncoder
from models.mood_model import MoodModel
from models.training.ablation_models import Reader
from models.training.align_stage import train_align
from models.training.averaging import WeightAverage, copy_into
from models.training.data import length_batches
from models.training.folds import group_folds
from models.training.fusion_stage import sentiment_probabilities, some_pairs, train_fusion
from models.training.image_top import ImageTop
from models.training.loop import Run, build_optimizer, build_schedule
from models.training.machine import Stepper
from models.training.pair_model import PairModel
from models.training.pairs import Pairs, Parts
from models.training.settings import (
    AlignStageSettings,
    FusionStageSettings,
    RunSettings,
    TrainingSettings,
)

# The same for every way; 3 passes and this rate were the first that were tried, and kept.
READER: Final = RunSettings(
    batch_size=64, learning_rate=3e-4, weight_decay=0.1, warmup_share=0.1, averaging=0.98, rounds=3
)
ALIGN: Final = AlignStageSettings(
    batch_size=128, weight_decay=0.1, averaging=0.98, rounds=6, patience_rounds=6, posts_per_image=4
)
_LOOKED_AT = 10  # one row in so many of the training rows is held out to end training early


@dataclass(frozen=True)
class Fold:
    """Rows to fit on and rows to predict."""

    number: int
    train: list[int]
    test: list[int]


def folds_of(pairs: Pairs, folds: int, seed: int) -> Iterator[Fold]:
    """All folds; posts that share a text or an image are in one."""
    fold_of = group_folds(pairs.groups, folds, seed)
    for number in range(folds):
        test = torch.nonzero(fold_of == number).squeeze(1).tolist()
        train = torch.nonzero(fold_of != number).squeeze(1).tolist()
        yield Fold(number, train, test)


def fit_reader(way: str, mood: MoodModel, pairs: Pairs, fold: Fold, run: Run) -> Tensor:
    """Sentiment of the fold's test rows by one way of fusion, (rows, 3)."""
    torch.manual_seed(run.seed)
    reader = Reader(way, mood).to(run.machine.device)
    optimizer = build_optimizer([(reader, READER.learning_rate)], READER.weight_decay)
    steps = READER.rounds * -(-len(fold.train) // READER.batch_size)
    schedule = build_schedule(optimizer, steps, READER.warmup_share)
    stepper, average = Stepper(run.machine, optimizer), WeightAverage(reader, READER.averaging)

    def length(row: int) -> int:
        return len(pairs.tokens[row])

    for epoch in range(READER.rounds):
        order = random.Random(f"{run.seed}-{epoch}")
        for rows in length_batches(fold.train, READER.batch_size, order, length):
            batch = pairs.batch(rows).to(run.machine.device)
            reader.train()
            with run.machine.autocast():
                loss = functional.cross_entropy(reader(batch).float(), batch.labels)
            stepper.step(loss)
            schedule.step()
            average.update()
    copy_into(reader, average.values)
    return _predict(reader.eval(), pairs, fold.test, run)


def align(
    mood: MoodModel,
    image_encoder: ImageEncoder,
    pairs: Pairs,
    fold: Fold,
    run: Run,
    *,
    settings: AlignStageSettings = ALIGN,
) -> None:
    """The contrastive stage on the fold's training rows and every pair without a label, in place.

    Its state stays in the run's folder, so that all ways start from the same one.
    """
    unlabelled = torch.nonzero(pairs.labels < 0).squeeze(1).tolist()
    train = some_pairs(pairs, [*fold.train, *unlabelled])
    validation = some_pairs(pairs, fold.train[::_LOOKED_AT])
    train_align(
        PairModel(mood, ImageTop(image_encoder, None)), settings, Parts(train, validation), run
    )


def fit_configured(
    settings: TrainingSettings,
    parts: tuple[MoodModel, ImageEncoder],
    pairs: Pairs,
    fold: Fold,
    run: Run,
) -> Tensor:
    """Sentiment of the fold's test rows by the stages on pairs of a configuration, (rows, 3).

    A tenth of the training rows is what ends training early; the test rows are never looked at.
    """
    fusion = settings.fusion or FusionStageSettings()
    seen = [row for index, row in enumerate(fold.train) if index % _LOOKED_AT]
    validation = some_pairs(pairs, fold.train[::_LOOKED_AT])
    mood, image_encoder = parts
    model = PairModel(mood, ImageTop(image_encoder, fusion.train_image_from))
    if settings.align is not None:
        unlabelled = torch.nonzero(pairs.labels < 0).squeeze(1).tolist()
        both = some_pairs(pairs, [*seen, *unlabelled])
        train_align(model, settings.align, Parts(both, validation), run)
    train_fusion(model, fusion, Parts(some_pairs(pairs, seen), validation), run)
    return sentiment_probabilities(model, pairs, fold.test, run.machine)


def pooled(pairs: Pairs, grid: int) -> Pairs:
    """The same pairs with patches averaged to a `grid` by `grid` raster: a fit costs a fraction.

    Patches are (images, rows x columns, width) of a square raster.
    """
    count = pairs.images.shape[1]
    side = round(count**0.5)
    if side * side != count or grid >= side:
        return pairs
    raster = pairs.images.float().transpose(1, 2).unflatten(2, (side, side))
    smaller = functional.adaptive_avg_pool2d(raster, grid).flatten(2).transpose(1, 2)
    return replace(pairs, images=smaller.half())


@torch.inference_mode()
def _predict(reader: Reader, pairs: Pairs, rows: list[int], run: Run) -> Tensor:
    found = []
    with run.machine.autocast():
        for start in range(0, len(rows), 128):
            batch = pairs.batch(rows[start : start + 128]).to(run.machine.device)
            found.append(reader(batch).float().softmax(dim=1).cpu())
    return torch.cat(found)
