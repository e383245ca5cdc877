"""Traces the networks of a checkpoint to ONNX graphs."""

import warnings
from collections.abc import Sequence
from inspect import signature
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, cast

import onnx
import onnxruntime
import torch
from onnx import ModelProto, helper
from torch import Tensor, nn

from models.engines.graph_attention import RUNTIME, attention_as_one_operator, join_heads
from models.labels import HEADS
from models.mood_model import MoodModel, MoodOutput

OPSET: Final = 17
ANSWERS: Final = (*HEADS, "alphas", "text_joint")
LENGTHS: Final = {"ids": "tokens", "tokens": "tokens"}  # known when run


class _Text(nn.Module):
    """(1, tokens) ids -> (1, tokens, width); one text a pass, so nothing is padded or masked."""

    def __init__(self, text_encoder: nn.Module) -> None:
        super().__init__()
        self.text_encoder = text_encoder

    def forward(self, ids: Tensor) -> Tensor:
        backbone = cast(Any, self.text_encoder).backbone
        segments = {}
        if "token_type_ids" in signature(backbone.forward).parameters:  # else it looks them up
            segments["token_type_ids"] = torch.zeros_like(ids)
        return cast(Tensor, backbone(input_ids=ids, **segments).last_hidden_state)


class _Image(nn.Module):
    """(1, 224, 224, 3) bytes -> (1, patches, width) in 16 bits."""

    def __init__(self, image_encoder: nn.Module) -> None:
        super().__init__()
        self.image_encoder = image_encoder

    def forward(self, pixels: Tensor) -> Tensor:
        return cast(Tensor, self.image_encoder(pixels)).half()


class _MoodOfText(nn.Module):
    """Token features of a post without image -> `ANSWERS`."""

    def __init__(self, mood: MoodModel) -> None:
        super().__init__()
        self.mood = mood

    def forward(self, tokens: Tensor) -> tuple[Tensor, ...]:
        return _answers(self.mood(tokens, None))


class _MoodOfBoth(nn.Module):
    """Features of a post with an image, and whether it has text -> `ANSWERS`, image_joint."""

    def __init__(self, mood: MoodModel) -> None:
        super().__init__()
        self.mood = mood

    def forward(self, tokens: Tensor, has_text: Tensor, patches: Tensor) -> tuple[Tensor, ...]:
        output: MoodOutput = self.mood(tokens, None, patches.float(), has_text=has_text)
        return (*_answers(output), cast(Tensor, output.image_joint))


def _answers(output: MoodOutput) -> tuple[Tensor, ...]:
    return (*(output.logits[name] for name in HEADS), output.alphas, output.text_joint)


def trace_text(text_encoder: nn.Module) -> ModelProto:
    """Graph `ids` -> `tokens`."""
    config = cast(Any, text_encoder).backbone.config
    chosen, config._attn_implementation = config._attn_implementation, "sdpa"
    try:
        return _trace(_Text(text_encoder), (torch.ones(1, 5).long(),), ["ids"], ["tokens"])
    finally:
        config._attn_implementation = chosen


def trace_image(image_encoder: nn.Module) -> ModelProto:
    """Graph `pixels` -> `patches`."""
    pixels = torch.zeros(1, 224, 224, 3, dtype=torch.uint8)
    return _trace(_Image(image_encoder), (pixels,), ["pixels"], ["patches"])


def patches_of(image_encoder: nn.Module) -> int:
    """How many patches a picture has."""
    with torch.no_grad():
        return len(image_encoder(torch.zeros(1, 224, 224, 3, dtype=torch.uint8))[0])


def trace_mood(mood: MoodModel, patches: int = 0) -> ModelProto:
    """Graph `tokens` -> `ANSWERS`; with patches also `has_text`, `patches` -> `image_joint`."""
    tokens = torch.rand(1, 5, mood.config.text_width)
    if not patches:
        return _trace(_MoodOfText(mood), (tokens,), ["tokens"], list(ANSWERS))
    both = (tokens, torch.tensor([True]), torch.rand(1, patches, mood.config.image_width).half())
    names = ["tokens", "has_text", "patches"]
    return _trace(_MoodOfBoth(mood), both, names, [*ANSWERS, "image_joint"])


def simplified(model: ModelProto) -> ModelProto:
    """The graph with all worked out that follows from shapes alone; weights stay as they are.

    While ONNX Runtime looks, they are inputs, so that nothing can be folded into them.
    """
    open_graph = ModelProto()
    open_graph.CopyFrom(model)
    weights = list(open_graph.graph.initializer)
    del open_graph.graph.initializer[:]
    open_graph.graph.input.extend(
        helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        for tensor in weights
    )
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    with TemporaryDirectory() as folder:
        options.optimized_model_filepath = str(Path(folder) / "simplified.onnx")
        onnxruntime.InferenceSession(
            open_graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        found = onnx.load(options.optimized_model_filepath)
    inputs = {tensor.name for tensor in model.graph.input}
    kept = [tensor for tensor in found.graph.input if tensor.name in inputs]
    del found.graph.input[:], found.opset_import[:]
    found.graph.input.extend(kept)
    found.graph.initializer.extend(weights)
    found.opset_import.append(helper.make_opsetid("", OPSET))
    return found


def _trace(
    module: nn.Module, example: tuple[Tensor, ...], inputs: Sequence[str], outputs: Sequence[str]
) -> ModelProto:
    """A graph whose initialisers have the names of the checkpoint's weights.

    Nothing is folded here: it would make new weights of those that ship. ONNX Runtime folds.
    """
    named = (*inputs, *outputs)
    lengths = {name: {1: size} for name, size in LENGTHS.items() if name in named}
    with (
        TemporaryDirectory() as folder,
        torch.inference_mode(),
        warnings.catch_warnings(),
        attention_as_one_operator(),
    ):
        file = Path(folder) / "traced.onnx"
        warnings.simplefilter("ignore")  # of tracing, about shapes that are fixed here
        torch.onnx.export(
            module.eval(),
            example,
            file,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes=lengths,
            opset_version=OPSET,
            custom_opsets={RUNTIME: 1},
            do_constant_folding=False,
            training=torch.onnx.TrainingMode.PRESERVE,
            dynamo=False,
        )
        traced = onnx.load(file)
    join_heads(traced.graph)
    return traced
