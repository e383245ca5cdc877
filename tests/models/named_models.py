"""Tiny checkpoints under names of their own, and one that loads but scores nonsense."""

from dataclasses import replace
from pathlib import Path

import torch

from models.checkpoint import save_checkpoint
from tests.models.tiny_model import a_checkpoint


def a_named_checkpoint(folder: Path, version: str, seed: int = 0) -> Path:
    """The folder of a tiny checkpoint that calls itself `version`."""
    save_checkpoint(replace(a_checkpoint(seed), version=version), folder)
    return folder


def a_senseless_checkpoint(folder: Path, version: str = "senseless") -> Path:
    """It loads, and all that it scores is no number."""
    checkpoint = replace(a_checkpoint(), version=version)
    for parameter in checkpoint.mood.parameters():
        torch.nn.init.constant_(parameter, torch.nan)
    save_checkpoint(checkpoint, folder)
    return folder
