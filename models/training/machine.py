"""Where training computes, and in which precision."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.optim import Optimizer


@dataclass(frozen=True)
class Machine:
    """A device and the number format of its matrix products (weights stay in 32 bits).

    `float16` has a narrow range, so its gradients are scaled; the others need no scaling.
    """

    device: torch.device
    dtype: torch.dtype

    @contextmanager
    def autocast(self) -> Iterator[None]:
        """Computes in `dtype` where that is safe."""
        # On a CPU the fused attention's backward pass is five times slower in bf16 than the plain.
        plain = sdpa_kernel(SDPBackend.MATH) if self.device.type == "cpu" else nullcontext()
        mixed = self.dtype != torch.float32
        with plain, torch.autocast(self.device.type, self.dtype, enabled=mixed):
            yield


def choose_machine(precision: str = "auto") -> Machine:
    """A GPU where there is one. `auto` takes bf16 where the processor multiplies it in hardware.

    Elsewhere bf16 on a CPU is emulated and slower than 32 bits.
    """
    cuda = torch.cuda.is_available()
    device = torch.device("cuda" if cuda else "cpu")
    if precision == "bf16":
        return Machine(device, torch.bfloat16)
    if precision == "fp32":
        return Machine(device, torch.float32)
    if cuda:
        return Machine(device, torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16)
    return Machine(device, torch.bfloat16 if _multiplies_bf16() else torch.float32)


class Stepper:
    """One optimiser step: backward, clipping, update; gradients of float16 are scaled."""

    def __init__(self, machine: Machine, optimizer: Optimizer, max_norm: float = 1.0) -> None:
        scaled = machine.dtype == torch.float16
        self._optimizer, self._max_norm = optimizer, max_norm
        self.scaler = torch.amp.GradScaler(machine.device.type, enabled=scaled)

    def step(self, loss: Tensor) -> None:
        """Moves the optimiser's parameters against the gradient of `loss`."""
        self._optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self._optimizer)
        nn.utils.clip_grad_norm_(self._parameters(), self._max_norm)
        self.scaler.step(self._optimizer)
        self.scaler.update()

    def _parameters(self) -> list[nn.Parameter]:
        return [one for group in self._optimizer.param_groups for one in group["params"]]


def _multiplies_bf16() -> bool:
    abilities = torch.cpu.get_capabilities()
    return bool(abilities.get("avx512_bf16") or abilities.get("amx_bf16"))
