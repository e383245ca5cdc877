"""Runs a checkpoint with torch: on a GPU where there is one, else in 32-bit floats on the CPU."""

from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import Tensor

from models.checkpoint import Checkpoint
from models.engines.engine import Floats, Halves, Ids, Mask, Moods, Pixels
from models.mood_model import MoodOutput

ROWS = 8  # on the CPU
GPU_ROWS = 64


class TorchEngine:
    """An `Engine` on torch modules.

    On a GPU layers run in bfloat16, or float16 where the GPU lacks that, by autocast. All passes
    run in one thread: torch gives each thread that calls it a pool of its own, and those would
    fight for the cores.

    Args:
        checkpoint: its modules are moved to the device.
        threads: torch's threads in this process; None leaves them as they are.
        device: None takes the GPU if there is one.
        half: layers run in this type by autocast; None chooses it by the device.
        rows: of a pass; None chooses by the device.
    """

    workers = 1

    def __init__(
        self,
        checkpoint: Checkpoint,
        threads: int | None = None,
        device: str | None = None,
        half: torch.dtype | None = None,
        rows: int | None = None,
    ) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        self._device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        on_gpu = self._device.type == "cuda"
        if half is None and on_gpu:
            half = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        self._half = half
        self.rows = rows or (GPU_ROWS if on_gpu else ROWS)
        self.name = f"torch {str(half or torch.float32).removeprefix('torch.')}"
        self._text = checkpoint.text_encoder.to(self._device)
        self._image = checkpoint.image_encoder.to(self._device)
        self._mood = checkpoint.mood.to(self._device)

    def read_texts(self, ids: Ids, mask: Mask) -> Floats:
        """Token features, see `Engine`."""
        with torch.inference_mode(), self._autocast():
            return _array(self._text(self._tensor(ids), self._tensor(mask)))

    def read_images(self, pixels: Pixels) -> Halves:
        """Patch features, see `Engine`."""
        with torch.inference_mode(), self._autocast():
            features: Tensor = self._image(self._tensor(pixels))
            return np.asarray(features.half().cpu().numpy())

    def fuse(self, tokens: Floats, mask: Mask, patches: Halves | None) -> Moods:
        """Moods, see `Engine`."""
        features = [self._tensor(tokens), self._tensor(mask)]
        if patches is not None:
            features.append(self._tensor(patches).float())
        with torch.inference_mode(), self._autocast():
            output: MoodOutput = self._mood(*features)
        joint = output.image_joint
        return Moods(
            {head: _array(logits) for head, logits in output.logits.items()},
            _array(output.alphas),
            _array(output.text_joint),
            None if joint is None else _array(joint),
        )

    def _autocast(self) -> AbstractContextManager[object]:
        if self._half is None:
            return nullcontext()
        return torch.autocast(self._device.type, dtype=self._half)

    def _tensor(self, values: Floats | Halves | Ids | Mask | Pixels) -> Tensor:
        return torch.from_numpy(values).to(self._device)


def _array(values: Tensor) -> Floats:
    return np.asarray(values.float().cpu().numpy())
