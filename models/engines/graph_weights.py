"""Puts the shipped, packed weights in place of a traced graph's own."""

from collections.abc import Iterator
from typing import Any, Final

from onnx import ModelProto, NodeProto, TensorProto, helper

from models.engines.packed_weights import StoredTensor
from models.quantisation import SCALE_SUFFIX

FLOAT: Final = int(TensorProto.FLOAT)
_END: Final = 2**31 - 1  # of any axis


class WeightSwap:
    """Rewrites one graph so that its weights are read from weights.safetensors.

    A weight of 16 bits is cast, one of 8 bits is multiplied by its scales; ONNX Runtime does both
    once, while it loads. With `int8` the products of layers keep their 8-bit weights: the input x
    of a layer is rounded to 8 bits by its own range (`DynamicQuantizeLinear`) and

        x W^T ~ s_x s_W (x_q - z_x) W_q^T,

    one scale s_W an output channel. W_q and s_W are the shipped ones, so only x is rounded anew.
    With `apart`, in a layer that reads more than it says (the second of a feed-forward pair), the
    first token has a range of its own, see `_first_apart`.
    A table of embeddings stays in 8 bits either way: the rows that are read are scaled.
    """

    def __init__(
        self,
        model: ModelProto,
        stored: dict[str, StoredTensor],
        file: str,
        *,
        int8: bool,
        apart: bool = False,
    ) -> None:
        self._graph, self._stored, self._file, self._int8 = model.graph, stored, file, int8
        self._apart = apart
        self._nodes: list[NodeProto] = []
        self._used: dict[str, TensorProto] = {}
        self._made: dict[str, str] = {}  # what was computed once for several consumers

    def apply(self) -> None:
        """Rewrites the graph in place; nodes stay in topological order."""
        ours = {t.name for t in self._graph.initializer if t.name in self._stored}
        turned = {
            node.output[0]: node.input[0]
            for node in self._graph.node
            if node.op_type == "Transpose" and node.input[0] in ours
        }
        for node in self._graph.node:
            if node.op_type == "Transpose" and node.output[0] in turned:
                continue  # made where it is needed
            self._nodes += self._rewritten(node, ours, turned)
        kept = [t for t in self._graph.initializer if t.name not in ours]
        del self._graph.initializer[:], self._graph.node[:]
        self._graph.initializer.extend([*kept, *self._used.values()])
        self._graph.node.extend(self._nodes)

    def _rewritten(
        self, node: NodeProto, ours: set[str], turned: dict[str, str]
    ) -> list[NodeProto]:
        name = node.input[1] if len(node.input) > 1 else ""
        if node.op_type == "Gather" and node.input[0] in ours and self._is_packed(node.input[0]):
            return list(self._gather(node))
        if self._int8 and node.op_type == "MatMul" and self._is_packed(turned.get(name, "")):
            weight = turned[name]
            says, reads = self._stored[weight].shape
            apart = self._apart and reads > says
            return list((self._first_apart if apart else self._matmul)(node, weight))
        for place, name in enumerate(node.input):
            if name in ours:
                node.input[place] = self._whole(name)
            elif name in turned:
                node.input[place] = self._once(
                    f"{turned[name]}.turned", "Transpose", [self._whole(turned[name])], perm=[1, 0]
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

    def _first_apart(self, node: NodeProto, weight: str) -> Iterator[NodeProto]:
        """The product for the first token and for the others, each rounded by its own range.

        Encoders keep a huge number in the first token, five times the range of all the others.
        Source: Sun et al. 2024, Massive Activations in Large Language Models.
        """
        x, output = node.input[0], node.output[0]
        parts = []
        for part, start, end in (("first", 0, 1), ("rest", 1, _END)):
            places = [self._numbers([number]) for number in (start, end, -2)]
            rows = self._once(f"{x}.{part}", "Slice", [x, *places])
            parts.append(f"{output}.{part}")
            yield from self._matmul(helper.make_node("MatMul", [rows], [parts[-1]]), weight)
        yield helper.make_node("Concat", parts, [output], axis=-2)

    def _matmul(self, node: NodeProto, weight: str) -> Iterator[NodeProto]:
        """A layer's product in 8 bits; written as ONNX Runtime fuses it into one kernel."""
        x, output = node.input[0], node.output[0]
        quantised = [f"{x}.q", f"{x}.s", f"{x}.z"]
        if quantised[0] not in self._made:
            self._made[quantised[0]] = x
            yield helper.make_node("DynamicQuantizeLinear", [x], quantised)
        turned = self._once(f"{weight}.turned", "Transpose", [self._take(weight)], perm=[1, 0])
        product, scale = f"{output}.i", f"{output}.s"
        yield helper.make_node("MatMulInteger", [quantised[0], turned, quantised[2]], [product])
        yield helper.make_node("Cast", [product], [f"{output}.f"], to=FLOAT)
        yield helper.make_node("Mul", [quantised[1], self._scale(weight)], [scale])
        yield helper.make_node("Mul", [f"{output}.f", scale], [output])
