"""Chooses the engine of a checkpoint folder by what the folder and the machine have."""

import os
from pathlib import Path
from typing import Final

from models.checkpoint import CheckpointError, load_checkpoint
from models.engines.engine import Engine
from models.engines.onnx_engine import (
    WHOLE,
    OnnxEngine,
    exported_precisions,
    multiplies_bytes,
)

AUTO: Final = "auto"
_GPU_DRIVER: Final = Path("/proc/driver/nvidia/version")


def load_engine(
    folder: Path, engine: str = AUTO, precision: str = AUTO, threads: int | None = None
) -> Engine:
    """The networks of a checkpoint folder, ready to run.

    Args:
        folder: a checkpoint.
        engine: `onnx`, `torch`, or `auto`: torch on a GPU, else ONNX Runtime where the checkpoint
            was exported, else torch.
        precision: `fp32`, `int8`, or `auto`: 8 bits where they were exported and the processor
            has instructions for them. Of ONNX Runtime alone: torch runs whole weights.
        threads: None is every core that this process may use.

    Raises:
        CheckpointError: the folder lacks what was asked for; the message says how to get it.
    """
    exported = exported_precisions(folder)
    if engine == AUTO:
        engine = "onnx" if exported and not _has_gpu() else "torch"
    if engine == "torch":
        from models.engines.torch_engine import TorchEngine

        return TorchEngine(load_checkpoint(folder), threads)
    if engine != "onnx":
        raise CheckpointError(f"engine {engine!r}: use auto, onnx or torch")
    if precision == AUTO:
        precision = _best_of(exported)
    if precision not in exported:
        raise CheckpointError(
            f"{folder} was not exported in {precision}; run `moodwire export --checkpoint "
            f"{folder}`, or let `model.engine` be torch"
        )
    return OnnxEngine(folder, precision, threads or len(os.sched_getaffinity(0)))


def _best_of(exported: tuple[str, ...]) -> str:
    wanted = "int8" if multiplies_bytes() else WHOLE
    return wanted if wanted in exported else next(iter(exported), wanted)


def _has_gpu() -> bool:
    """Asks torch only where a driver is loaded: to import it takes longer than to load a model."""
    if not _GPU_DRIVER.exists():
        return False
    import torch

    return torch.cuda.is_available()
