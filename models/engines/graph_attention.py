"""Attention as one operator of ONNX Runtime, where tracing alone would leave a dozen."""

import math
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
from onnx import GraphProto, NodeProto
from torch.onnx import symbolic_helper
from torch.onnx.symbolic_opset14 import scaled_dot_product_attention
from torch.onnx.utils import register_custom_op_symbolic, unregister_custom_op_symbolic

from models.engines.graph_rounding import drop_unused

RUNTIME: Final = "com.microsoft"  # the domain of ONNX Runtime's own operators
ATTENTION: Final = "MultiHeadAttention"
_TRACED: Final = "aten::scaled_dot_product_attention"
_SWAP: Final = [0, 2, 1, 3]  # (batch, regions, heads, size) <-> (batch, heads, regions, size)


@contextmanager
def attention_as_one_operator() -> Iterator[None]:
    """While tracing, attention of heads that were cut out of (batch, regions, width) is one node.

    Attention of another kind, or with a mask, is traced as usual.
    """
    register_custom_op_symbolic(_TRACED, _symbolic, 14)
    try:
        yield
    finally:
        unregister_custom_op_symbolic(_TRACED, 14)


def _symbolic(g: Any, query: Any, key: Any, value: Any, *how: Any) -> Any:
    mask, _, causal, scale, grouped = how
    heads, _, size = g.original_node.inputsAt(0).type().sizes()[1:]  # as traced
    whole = [_before_heads(part) for part in (query, key, value)]
    fits = (
        all(whole)
        and symbolic_helper._is_none(mask)
        and not any(symbolic_helper._get_const(flag, "b", "flag") for flag in (causal, grouped))
    )
    if not fits:
        return scaled_dot_product_attention(g, query, key, value, *how)
    given = None if symbolic_helper._is_none(scale) else symbolic_helper._get_const(scale, "f", "s")
    named = {} if given is None or math.isclose(given, size**-0.5) else {"scale_f": given}
    joined = g.op(f"{RUNTIME}::{ATTENTION}", *whole, num_heads_i=heads, **named)
    cut = g.op("Constant", value_t=torch.tensor([0, 0, heads, size]))
    return g.op("Transpose", g.op("Reshape", joined, cut), perm_i=_SWAP)


def _before_heads(part: Any) -> Any:
    """(batch, regions, width) of which the heads were cut; None if they came otherwise."""
    turned = part.node()
    if turned.kind() != "onnx::Transpose" or symbolic_helper._node_get(turned, "perm") != _SWAP:
        return None
    cut = turned.inputsAt(0).node()
    return cut.inputsAt(0) if cut.kind() == "onnx::Reshape" else None


def join_heads(graph: GraphProto) -> None:
    """Hands on what attention says as it is where the heads were cut and joined again behind it."""
    readers: dict[str, list[NodeProto]] = defaultdict(list)
    for node in graph.node:
        for name in node.input if node.op_type != "Shape" else ():
            readers[name].append(node)
    for node in graph.node:
        if node.op_type == ATTENTION:
            for reader, place in _beyond(node.output[0], readers):
                reader.input[place] = node.output[0]
    drop_unused(graph)


def _beyond(name: str, readers: dict[str, list[NodeProto]]) -> list[tuple[NodeProto, int]]:
    """Who reads what two changes of axes, or none, and shapes around them leave as it was."""
    kinds = []
    while len(readers[name]) == 1 and readers[name][0].op_type in ("Reshape", "Transpose"):
        (node,) = readers[name]
        kinds.append(node.op_type)
        name = node.output[0]
    if kinds.count("Transpose") % 2 or kinds[-1:] != ["Reshape"]:
        return []
    return [
        (reader, place)
        for reader in readers[name]
        for place, read in enumerate(reader.input)
        if read == name
    ]
