"""A moving average of the weights in training."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


def trained_parameters(module: nn.Module) -> dict[str, nn.Parameter]:
    """What the optimiser moves, by name; the rest is known before training and need not be kept."""
    return {name: one for name, one in module.named_parameters() if one.requires_grad}


def copy_into(module: nn.Module, values: Mapping[str, Tensor]) -> None:
    """Sets the trained parameters.

    Raises:
        KeyError: `values` holds others than these.
    """
    trained = trained_parameters(module)
    if trained.keys() != values.keys():
        raise KeyError(f"weights of another model: {sorted(trained.keys() ^ values.keys())[:3]}")
    with torch.no_grad():
        for name, parameter in trained.items():
            parameter.copy_(values[name])


class WeightAverage:
    """mean <- d mean + (1 - d) weights after each step, with d = min(decay, (1 + n) / (10 + n)).

    The last steps of a run on few, noisy labels differ by luck; their average does not. The bound
    by n, the steps so far, forgets the start (Polyak averaging as in TensorFlow's
    ExponentialMovingAverage). Decay 0 is the weights themselves.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self._module, self._decay = module, decay
        self.steps = 0
        self.values = snapshot(module)

    @torch.no_grad()
    def update(self) -> None:
        """Takes in the weights of one more step."""
        self.steps += 1
        keep = min(self._decay, (1 + self.steps) / (10 + self.steps)) if self._decay else 0.0
        current = trained_parameters(self._module)
        torch._foreach_lerp_(
            list(self.values.values()), [current[name] for name in self.values], 1 - keep
        )

    @contextmanager
    def swapped_in(self) -> Iterator[None]:
        """The module has the average inside the block, and its own weights again after it."""
        own = snapshot(self._module)
        copy_into(self._module, self.values)
        try:
            yield
        finally:
            copy_into(self._module, own)


def snapshot(module: nn.Module) -> dict[str, Tensor]:
    """Copies of the trained parameters."""
    return {name: one.detach().clone() for name, one in trained_parameters(module).items()}
