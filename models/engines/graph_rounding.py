"""Makes the convolutions of an image graph run in 8 bits, by ranges seen on real images."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper
from safetensors import safe_open

from models.engines.packed_weights import read_index
from models.quantisation import SCALE_SUFFIX

_BOUNDS: Final = ("Relu", "Clip")  # what a range can stand for
_SMALLEST_SCALE: Final = 1e-9
Array = NDArray[Any]


class Range(NamedTuple):
    """How a tensor is rounded to bytes: x ~ scale (q - zero), q in 0 ... 255."""

    scale: float
    zero: int

    @classmethod
    def of(cls, low: float, high: float) -> "Range":
        """From the values that it should hold; 0 is held exactly, as padding needs it."""
        low, high = min(low, 0.0), max(high, 0.0)
        scale = max((high - low) / 255, _SMALLEST_SCALE)
        return cls(scale, round(-low / scale))

    @classmethod
    def of_pixels(cls, mean: Sequence[float], std: Sequence[float]) -> "Range | None":
        """Bytes as they are: (q / 255 - mean) / std; None where no such range says that.

        >>> Range.of_pixels([127 / 255] * 3, [0.5] * 3)
        Range(scale=0.00784313725490196, zero=127)
        >>> Range.of_pixels([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
        """
        zero = round(255 * mean[0])
        uniform = len({*mean}) == len({*std}) == 1
        return (
            cls(1 / (255 * std[0]), zero) if uniform and abs(255 * mean[0] - zero) < 1e-3 else None
        )


class Layer(NamedTuple):
    """A convolution with the batch norm and the bound that follow it, and what comes out."""

    conv: NodeProto
    norm: NodeProto | None
    output: str


class ConvRounding:
    """Rewrites a graph of convolutions so that ONNX Runtime runs them on bytes.

    Each layer's product, batch norm and bound (ReLU, ReLU6) become one: with the norm's gain
    g = gamma / sqrt(variance + eps) in the scale of the weights,

        y_q = zero_y + s_x s_W g / s_y sum (x_q - zero_x) W_q + b / s_y,  bounded by y's range.

    W_q are the shipped bytes where there are some; smaller weights, which ship in 16 bits, are
    rounded here. Ranges of x and y are fixed, so a picture's features are the same in any company.

    Args:
        model: a simplified graph whose initialisers have the names of the checkpoint's weights.
        weights: where those are stored; the graph will be beside it.
        ranges: of every tensor in `rounded_tensors`.
        pixels: how the bytes of a picture stand for what the first layer reads; None: they do not,
            and what it reads is rounded like any other tensor.
    """

    def __init__(
        self,
        model: ModelProto,
        weights: Path,
        ranges: dict[str, Range],
        pixels: Range | None = None,
    ) -> None:
        self._graph, self._file, self._ranges = model.graph, weights, ranges
        self._stored = read_index(weights)
        self._pictured = ""
        if pixels is not None:
            self._pictured = layers_of(model.graph)[0].conv.input[0]
            self._ranges = {**ranges, self._pictured: pixels}
        self._arrays = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
        self._made: list[TensorProto] = []

    def apply(self) -> None:
        """Rewrites the graph in place; nodes stay in topological order."""
        layers = {layer.conv.output[0]: layer for layer in layers_of(self._graph)}
        norms = {layer.norm.output[0] for layer in layers.values() if layer.norm}
        nodes: list[NodeProto] = []
        for node in self._graph.node:
            output = node.output[0]
            if output in norms:
                continue
            for place, name in enumerate(node.input):
                if name in self._ranges:
                    node.input[place] = f"{name}.rounded"
            layer = layers.get(output)
            nodes += self._layer(layer) if layer else [node]
            nodes += self._round(nodes[-1].output[0])
        del self._graph.node[:]
        self._graph.node.extend(nodes)
        self._graph.initializer.extend(self._made)
        drop_unused(self._graph)

    def _round(self, name: str) -> Iterator[NodeProto]:
        if name in self._ranges:
            scale, zero = self._ranges[name]
            how = [
                self._number(f"{name}.scale", np.float32(scale)),
                self._number(f"{name}.zero", np.uint8(zero)),
            ]
            if name == self._pictured:
                (picture,) = self._graph.input
                yield helper.make_node(
                    "Transpose", [picture.name], [f"{name}.q"], perm=[0, 3, 1, 2]
                )
            else:
                yield helper.make_node("QuantizeLinear", [name, *how], [f"{name}.q"])
            yield helper.make_node("DequantizeLinear", [f"{name}.q", *how], [f"{name}.rounded"])

    def _layer(self, layer: Layer) -> Iterator[NodeProto]:
        name = layer.conv.input[1]
        gain, bias = self._gain_and_bias(layer)
        weight, scale = self._bytes(name, gain)
        x_scale = self._ranges[layer.conv.input[0].removesuffix(".rounded")].scale
        bias_scale = (x_scale * scale).astype(np.float32)
        rounded = np.clip(np.rint(bias / bias_scale), -(2.0**31), 2.0**31 - 1).astype(np.int32)
        output = layer.norm.output[0] if layer.norm else layer.conv.output[0]
        yield self._whole(weight, f"{output}.weight", scale)
        yield self._whole(self._number(f"{output}.bias.q", rounded), f"{output}.bias", bias_scale)
        del layer.conv.input[1:]
        layer.conv.input.extend([f"{output}.weight", f"{output}.bias"])
        layer.conv.output[0] = output
        yield layer.conv

    def _whole(self, quantised: str, name: str, scale: Array) -> NodeProto:
        inputs = [quantised, self._number(f"{name}.scale", scale.astype(np.float32))]
        return helper.make_node("DequantizeLinear", inputs, [name], axis=0)

    def _gain_and_bias(self, layer: Layer) -> tuple[Array, Array]:
        """Of each output channel, the batch norm's in it."""
        channels = len(self._arrays[layer.conv.input[1]])
        own = self._arrays[layer.conv.input[2]] if len(layer.conv.input) > 2 else np.zeros(channels)
        if layer.norm is None:
            return np.ones(channels), own
        gamma, beta, mean, variance = (self._arrays[name] for name in layer.norm.input[1:])
        eps = next(a.f for a in layer.norm.attribute if a.name == "epsilon")
        gain = gamma / np.sqrt(variance + eps)
        return gain, beta + (own - mean) * gain

    def _bytes(self, name: str, gain: Array) -> tuple[str, Array]:
        """Name and scales of a weight in 8 bits with the gain in it; shipped bytes if they fit."""
        if name + SCALE_SUFFIX in self._stored and (gain > 0).all():
            tensor = self._stored[name].as_initializer(self._file.name)
            tensor.name = f"{name}.bytes"
            self._made.append(tensor)
            with safe_open(self._file, framework="numpy") as weights:
                return tensor.name, weights.get_tensor(name + SCALE_SUFFIX) * gain
        weight = self._arrays[name] * gain.reshape(-1, *[1] * (self._arrays[name].ndim - 1))
        largest = np.abs(weight).reshape(len(weight), -1).max(axis=1)
        scale = np.maximum(largest / 127, _SMALLEST_SCALE)
        rounded = np.rint(weight / scale.reshape(-1, *[1] * (weight.ndim - 1)))
        return self._number(f"{name}.rounded", rounded.astype(np.int8)), scale

    def _number(self, name: str, value: Any) -> str:
        self._made.append(numpy_helper.from_array(np.asarray(value), name))
        return name


def layers_of(graph: GraphProto) -> list[Layer]:
    """The convolutions whose weights are known."""
    known = {tensor.name for tensor in graph.initializer}
    uses = Counter(name for node in graph.node for name in node.input)
    uses.update(output.name for output in graph.output)
    following = {node.input[0]: node for node in graph.node if len(node.input)}
    found = []
    for node in graph.node:
        if node.op_type == "Conv" and node.input[1] in known:
            norm, output = None, node.output[0]
            if uses[output] == 1 and following[output].op_type == "BatchNormalization":
                norm = following[output]
                output = norm.output[0]
            if uses[output] == 1 and following[output].op_type in _BOUNDS:
                output = following[output].output[0]
            found.append(Layer(node, norm, output))
    return found


def rounded_tensors(graph: GraphProto) -> list[str]:
    """What must be rounded: what convolutions read and write, and sums of that."""
    layers = layers_of(graph)
    names = {name for layer in layers for name in (layer.conv.input[0], layer.output)}
    for node in graph.node:
        if node.op_type == "Add" and names.issuperset(node.input):
            names.add(node.output[0])
    return sorted(names)


def observe(model: ModelProto, images: Iterable[Array]) -> dict[str, Range]:
    """Ranges of what must be rounded: the mean over the images of their smallest and largest.

    One picture with an outlier would make every step coarser for the others.
    """
    names = rounded_tensors(model.graph)
    produced = {name for node in model.graph.node for name in node.output}
    outputs = [name for name in names if name in produced]
    seen = [
        [(values.min(), values.max()) for values in found]
        for found in watched(model, outputs, images)
    ]
    means = np.mean(np.asarray(seen, np.float64), axis=0)
    return {name: Range.of(*limits) for name, limits in zip(outputs, means.tolist(), strict=True)}


def watched(
    model: ModelProto, names: Sequence[str], inputs: Iterable[Array]
) -> Iterator[list[Array]]:
    """What these tensors of a graph hold, input by input."""
    open_graph = ModelProto()
    open_graph.CopyFrom(model)
    del open_graph.graph.output[:]
    open_graph.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names
    )
    session = onnxruntime.InferenceSession(
        open_graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (taken,) = session.get_inputs()
    for one in inputs:
        yield list(session.run(None, {taken.name: one}))


def drop_unused(graph: GraphProto) -> None:
    """Removes nodes and initialisers that no output needs."""
    needed = {output.name for output in graph.output}
    kept = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(node.input)
    initialisers = {t.name: t for t in graph.initializer if t.name in needed}
    del graph.node[:], graph.initializer[:]
    graph.node.extend(reversed(kept))
    graph.initializer.extend(initialisers.values())
