"""Attention weights of one forward pass, without a word of it in the model's own code."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from models.attention import AttentionBlock, AttentivePooling

Weights = dict[str, Tensor]


@contextmanager
def recorded_attention(model: nn.Module) -> Iterator[Weights]:
    """Fills a dictionary with the weights of every attention in `model` that runs meanwhile.

    Keys are module names such as `text_from_image` (batch, heads, tokens, patches) and
    `text.pooling` (batch, tokens). The weights are computed beside the forward pass from the same
    inputs (`weights` of the module, which a test holds equal to what `forward` does), so serving,
    which never enters here, pays nothing. Of a module that runs twice the last pass stays.
    """
    seen: Weights = {}

    def watch(name: str) -> Any:
        def keep(module: Any, inputs: tuple[Tensor, ...]) -> None:
            with torch.no_grad():
                seen[name] = module.weights(*inputs)

        return keep

    with ExitStack() as hooks:
        for name, module in model.named_modules():
            if isinstance(module, AttentionBlock | AttentivePooling):
                hooks.callback(module.register_forward_pre_hook(watch(name)).remove)
        yield seen
