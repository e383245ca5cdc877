"""Weights in eight bits: per output channel, symmetric, with a scale of 16 bits."""

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor

SCALE_SUFFIX: Final = ".int8_scale"
_SMALLEST_SCALE: Final = 6.2e-5  # below it a 16-bit float loses precision
_SMALLEST_MATRIX: Final = 4096


def quantise(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Rounds each row to 8 bits: w ~ scale[row] x q, q in [-127, 127].

    scale[row] = max |w[row]| / 127, rounded to 16 bits before q is, so that q fits the scale that
    is kept. Shapes: (out, ...) -> int8 (out, ...), float16 (out,).
    """
    rows = weight.detach().float().flatten(1)
    scale = (rows.abs().amax(dim=1) / 127).clamp(min=_SMALLEST_SCALE).half()
    quantised = (rows / scale.float()[:, None]).round().clamp(-127, 127).to(torch.int8)
    return quantised.reshape(weight.shape), scale


def dequantise(quantised: Tensor, scale: Tensor) -> Tensor:
    """Back to 32-bit floats: (out, ...), (out,) -> (out, ...)."""
    shape = [-1] + [1] * (quantised.ndim - 1)
    return quantised.float() * scale.float().reshape(shape)


def pack(state: Mapping[str, Tensor], full: tuple[str, ...] = ()) -> dict[str, Tensor]:
    """Makes a state dict small: large matrices in 8 bits, the rest in 16.

    Args:
        state: tensors by name.
        full: names that start with one of these stay in 16 bits.
    """
    packed: dict[str, Tensor] = {}
    for name, tensor in state.items():
        large = tensor.ndim >= 2 and tensor.numel() >= _SMALLEST_MATRIX
        if large and not name.startswith(full):
            packed[name], packed[name + SCALE_SUFFIX] = quantise(tensor)
        else:
            packed[name] = tensor.half() if tensor.is_floating_point() else tensor
    return {name: tensor.contiguous() for name, tensor in packed.items()}


def unpack(packed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state dict that `pack` was given, rounded, in 32-bit floats."""
    state: dict[str, Tensor] = {}
    for name, tensor in packed.items():
        if name.endswith(SCALE_SUFFIX):
            continue
        scale = packed.get(name + SCALE_SUFFIX)
        if scale is not None:
            state[name] = dequantise(tensor, scale)
        else:
            state[name] = tensor.float() if tensor.is_floating_point() else tensor
    return state
