"""Puts the shipped, packed weights in place of a traced graph's own."""

from collections.abc import Iterator
from itertools import permutations
from typing import Any, Final, NamedTuple

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from models.engines.first_token import NO_HUGE_TOKEN, FirstToken
from models.engines.graph_attention import ATTENTION, RUNTIME
from models.engines.graph_rounding import drop_unused
from models.engines.packed_weights import StoredTensor
from models.quantisation import SCALE_SUFFIX

FLOAT: Final = int(TensorProto.FLOAT)


class _Layer(NamedTuple):
    """x W^T + b."""

    x: str
    weight: str
    bias: str


class WeightSwap:
    """Rewrites one graph so that its weights are read from weights.safetensors.

    A weight of 16 bits is cast, one of 8 bits is multiplied by its scales; ONNX Runtime does both
    once, while it loads. With `int8` the products of layers keep their 8-bit weights: the input x
    of a layer is rounded to 8 bits by its own range (`DynamicQuantizeLinear`) and

        x W^T ~ s_x s_W (x_q - z_x) W_q^T,

    one scale s_W an output channel. W_q and s_W are the shipped ones, so only x is rounded anew.
    Layers that read a huge first token divide it before, see `_first_divided`; three layers of an
    attention that read the same become one operator with it, see `_attention`.
    A table of embeddings stays in 8 bits either way: the rows that are read are scaled.
    """

    def __init__(
        self,
        model: ModelProto,
        stored: dict[str, StoredTensor],
        file: str,
        *,
        int8: bool,
        first_token: FirstToken = NO_HUGE_TOKEN,
    ) -> None:
        self._graph, self._stored, self._file, self._int8 = model.graph, stored, file, int8
        self._first_token = first_token
        self._nodes: list[NodeProto] = []
        self._used: dict[str, TensorProto] = {}
        self._made: dict[str, str] = {}  # what was computed once for several consumers
        self._made_by: dict[str, NodeProto] = {}  # in the traced graph
        self._turns: dict[str, str] = {}  # a weight by its transposed form's name

    def apply(self) -> None:
        """Rewrites the graph in place; nodes stay in topological order."""
        ours = {t.name for t in self._graph.initializer if t.name in self._stored}
        for node in self._graph.node:
            if node.op_type == "Transpose" and node.input[0] in ours:
                self._turns[node.output[0]] = node.input[0]  # made where it is needed
            else:
                self._nodes += self._rewritten(node, ours)
            self._made_by.update((name, node) for name in node.output)
        kept = [t for t in self._graph.initializer if t.name not in ours]
        del self._graph.initializer[:], self._graph.node[:]
        self._graph.initializer.extend([*kept, *self._used.values()])
        self._graph.node.extend(self._nodes)
        drop_unused(self._graph)

    def _rewritten(self, node: NodeProto, ours: set[str]) -> list[NodeProto]:
        name = node.input[1] if len(node.input) > 1 else ""
        if node.op_type == "Gather" and node.input[0] in ours and self._is_packed(node.input[0]):
            return list(self._gather(node))
        if self._int8 and node.op_type == "MatMul" and self._is_packed(self._turns.get(name, "")):
            huge = node.input[0] in self._first_token.tensors
            return list((self._first_divided if huge else self._matmul)(node, self._turns[name]))
        if self._int8 and node.op_type == ATTENTION:
            return self._attention(node)
        for place, name in enumerate(node.input):
            if name in ours:
                node.input[place] = self._whole(name)
            elif name in self._turns:
                weight = self._turns[name]
                node.input[place] = self._once(
                    f"{weight}.whole.turned", "Transpose", [self._whole(weight)], perm=[1, 0]
                )
        return [node]

    def _is_packed(self, name: str) -> bool:
        return name + SCALE_SUFFIX in self._stored

    def _take(self, name: str) -> str:
        if name not in self._used:
            self._used[name] = self._stored[name].as_initializer(self._file)
        return name

    def _whole(self, name: str) -> str:
        """The weight in 32-bit floats."""
        weight = self._once(f"{name}.float", "Cast", [self._take(name)], to=FLOAT)
        if not self._is_packed(name):
            return weight
        shape = [-1] + [1] * (len(self._stored[name].shape) - 1)
        scale = self._once(
            f"{name}.scale", "Reshape", [self._scale(name), self._numbers(shape)], allowzero=0
        )
        return self._once(f"{name}.whole", "Mul", [weight, scale])

    def _scale(self, name: str) -> str:
        return self._once(f"{name}.scales", "Cast", [self._take(name + SCALE_SUFFIX)], to=FLOAT)

    def _numbers(self, values: list[int]) -> str:
        name = "numbers" + "_".join(map(str, values))
        self._used[name] = helper.make_tensor(name, TensorProto.INT64, [len(values)], values)
        return name

    def _floats(self, name: str, values: Any) -> str:
        self._used[name] = numpy_helper.from_array(np.asarray(values, np.float32), name)
        return name

    def _once(self, output: str, operator: str, inputs: list[str], **attributes: Any) -> str:
        if output not in self._made:
            self._nodes.append(helper.make_node(operator, inputs, [output], **attributes))
            self._made[output] = output
        return output

    def _gather(self, node: NodeProto) -> Iterator[NodeProto]:
        """Rows of a packed table: row q[i] times scale[i]."""
        table, rows, output = node.input[0], node.input[1], node.output[0]
        last = self._numbers([-1])
        yield helper.make_node("Gather", [self._take(table), rows], [f"{output}.q"])
        yield helper.make_node("Cast", [f"{output}.q"], [f"{output}.f"], to=FLOAT)
        yield helper.make_node("Gather", [self._scale(table), rows], [f"{output}.s"])
        yield helper.make_node("Unsqueeze", [f"{output}.s", last], [f"{output}.u"])
        yield helper.make_node("Mul", [f"{output}.f", f"{output}.u"], [output])

    def _first_divided(self, node: NodeProto, weight: str) -> Iterator[NodeProto]:
        """The product, its first token divided before and multiplied after, see `FirstToken`."""
        x, output = node.input[0], node.output[0]
        tokens = self._once("first.tokens", "Shape", [x], start=-2, end=-1)
        others = self._once("first.others", "Sub", [tokens, self._numbers([1])])
        ends = [self._numbers([0, 0]), others, self._numbers([0])]
        pads = self._once("first.pads", "Concat", ends, axis=0)
        times = self._floats("first.time", [[self._first_token.times]])
        column = self._once("first.times", "Pad", [times, pads, self._floats("first.one", 1.0)])
        share = self._once("first.share", "Reciprocal", [column])
        product = helper.make_node(
            "MatMul", [self._once(f"{x}.even", "Mul", [x, share])], [f"{output}.even"]
        )
        yield from self._matmul(product, weight)
        yield helper.make_node("Mul", [f"{output}.even", column], [output])

    def _attention(self, node: NodeProto) -> list[NodeProto]:
        """An attention whose layers read the same, with these layers, on bytes that one rounds."""
        known = [layer for name in node.input if (layer := self._layer(name))]
        alike = {(layer.x, self._stored[layer.weight].shape) for layer in known}
        if len(known) < len(node.input) or len(alike) > 1 or len(node.attribute) > 1:
            return [node]  # the last: it has a scale of its own
        output = node.output[0]
        weight, scale, bias = (
            self._once(f"{output}.{part}", "Concat", names, axis=axis)
            for part, axis, names in (
                ("weights", 1, [self._turned(layer.weight) for layer in known]),
                ("scales", 0, [self._scale(layer.weight) for layer in known]),
                ("biases", 0, [layer.bias for layer in known]),
            )
        )
        rounded, x_scale, x_zero = self._rounded(known[0].x)
        inputs = [rounded, weight, bias, x_scale, scale, "", x_zero]
        (heads,) = node.attribute
        return [helper.make_node("QAttention", inputs, [output], domain=RUNTIME, num_heads=heads.i)]

    def _layer(self, name: str) -> _Layer | None:
        """The layer that says this, its bias in floats."""
        add = self._made_by.get(name)
        for bias, product in permutations(add.input) if add and add.op_type == "Add" else ():
            node = self._made_by.get(product)
            if bias in self._made and node and node.op_type == "MatMul":
                weight = self._turns.get(node.input[1], "")
                return _Layer(node.input[0], weight, bias) if self._is_packed(weight) else None
        return None

    def _turned(self, weight: str) -> str:
        return self._once(f"{weight}.turned", "Transpose", [self._take(weight)], perm=[1, 0])

    def _rounded(self, x: str) -> list[str]:
        """What a layer reads in bytes, their scale, and the byte that stands for 0."""
        names = [f"{x}.q", f"{x}.s", f"{x}.z"]
        if names[0] not in self._made:
            self._nodes.append(helper.make_node("DynamicQuantizeLinear", [x], names))
            self._made[names[0]] = x
        return names

    def _matmul(self, node: NodeProto, weight: str) -> Iterator[NodeProto]:
        """A layer's product in 8 bits; written as ONNX Runtime fuses it into one kernel."""
        x, output = node.input[0], node.output[0]
        rounded, x_scale, x_zero = self._rounded(x)
        product, scale = f"{output}.i", f"{output}.s"
        inputs = [rounded, self._turned(weight), x_zero]
        yield helper.make_node("MatMulInteger", inputs, [product])
        yield helper.make_node("Cast", [product], [f"{output}.f"], to=FLOAT)
        yield helper.make_node("Mul", [x_scale, self._scale(weight)], [scale])
        yield helper.make_node("Mul", [f"{output}.f", scale], [output])
