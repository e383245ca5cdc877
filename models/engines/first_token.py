"""The huge number that a text encoder keeps in its first token, and what 8 bits do about it."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from onnx import ModelProto

from models.engines.graph_rounding import Array, watched

_HUGE: Final = 2.0  # times the largest number of all other tokens


class FirstToken(NamedTuple):
    """Where the first token holds far more than all others, and how many times as much.

    A range that holds its number makes every step coarser for all tokens. Before it is rounded the
    first token is therefore divided by `times`, and what comes of it is multiplied.
    Source: Sun et al. 2024, Massive Activations in Large Language Models.
    """

    tensors: frozenset[str]
    times: float

    @classmethod
    def seen(cls, model: ModelProto, texts: Sequence[Array]) -> "FirstToken":
        """From texts, ids (1, tokens), that a traced encoder reads.

        Looked at is what layers read that say less, the second of a feed-forward pair. The number
        hardly depends on the text, so a few do; the largest ratio counts, as one that is too small
        would cost all other tokens and one that is too large costs the first alone.
        """
        names = _narrowed(model)
        if not names:
            return NO_HUGE_TOKEN
        seen = [[_ratio(values[0]) for values in found] for found in watched(model, names, texts)]
        largest = dict(zip(names, np.max(seen, axis=0).tolist(), strict=True))
        huge = {name: ratio for name, ratio in largest.items() if ratio > _HUGE}
        return cls(frozenset(huge), max(huge.values())) if huge else NO_HUGE_TOKEN


NO_HUGE_TOKEN: Final = FirstToken(frozenset(), 1.0)


def _narrowed(model: ModelProto) -> list[str]:
    shapes = {tensor.name: tensor.dims for tensor in model.graph.initializer}
    turned = {n.output[0]: n.input[0] for n in model.graph.node if n.op_type == "Transpose"}
    found = []
    for node in model.graph.node:
        if node.op_type == "MatMul" and turned.get(node.input[1]) in shapes:
            says, reads = shapes[turned[node.input[1]]]
            if reads > says:
                found.append(node.input[0])
    return found


def _ratio(tokens: Array) -> float:
    """(tokens, width): the largest of the first by the largest of the others."""
    return float(np.abs(tokens[0]).max() / np.abs(tokens[1:]).max())
