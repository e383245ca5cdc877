"""`moodwire train`: a model of one's own, where the training code is at hand."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from models.checkpoint import CheckpointError
from pipelines.command_line import OK

_REMEDY = (
    "get the source (git clone), then `pip install -e '.[train]'` in it and run there; "
    "a plain install leaves training out, since workers never need it"
)


class TrainingError(ValueError):
    """Training cannot start or go on; the message names the key, file or package and the remedy."""


def train_command(args: argparse.Namespace, console: Console) -> int:
    """Trains what `args` ask for and says where the checkpoint is.

    Raises:
        TrainingError: settings, data or packages are wrong or missing.
    """
    try:
        from models.training.data import TrainingDataError
        from models.training.settings import TrainingSettingsError
        from models.training.train import Order, train
    except ModuleNotFoundError as error:
        raise TrainingError(f"train: {error.name} is not installed; {_REMEDY}") from error
    order = Order(
        Path(args.config),
        Path(args.data),
        Path(args.output),
        stage=args.stage,
        resume=args.resume,
        threads=args.threads,
    )
    try:
        folder = train(order)
    except (TrainingSettingsError, TrainingDataError, CheckpointError) as error:
        raise TrainingError(str(error)) from error
    except ModuleNotFoundError as error:
        raise TrainingError(f"train: {error.name} is not installed; {_REMEDY}") from error
    console.print(f"checkpoint in {folder}", highlight=False)
    return OK
