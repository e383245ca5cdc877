"""The arithmetic ceiling: what a post needs, over what the processor multiplies at best."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import onnxruntime
import torch
from onnx import TensorProto, helper
from torch.utils.flop_counter import FlopCounterMode

from models.checkpoint import DEFAULT_CHECKPOINT, Checkpoint, load_checkpoint
from models.scorer import ScoreInput

SIZE = 1024
SECONDS = 2.0


def operations(posts: list[ScoreInput]) -> dict[str, float]:
    """Multiplications and additions of the mean post, without any padding, by network."""
    checkpoint = load_checkpoint(DEFAULT_CHECKPOINT)
    ids = checkpoint.tokenizer([post.text for post in posts])
    by_length = {size: _of_text(checkpoint, size) for size in {len(row) for row in ids}}
    pictured = sum(bool(post.images) for post in posts) / len(posts)
    patches = checkpoint.image_encoder(torch.zeros(1, 224, 224, 3, dtype=torch.uint8))
    seen = torch.ones(patches.shape[:2]).bool()
    mean = round(sum(map(len, ids)) / len(ids))
    tokens, mask = torch.rand(1, mean, checkpoint.text_encoder.width), torch.ones(1, mean).bool()
    with_image = _count(lambda: checkpoint.mood(tokens, mask, patches, seen))
    without = _count(lambda: checkpoint.mood(tokens, mask))
    pixels = torch.zeros(1, 224, 224, 3, dtype=torch.uint8)
    return {
        "text": sum(by_length[len(row)] for row in ids) / len(ids),
        "image": pictured * _count(lambda: checkpoint.image_encoder(pixels)),
        "mood": pictured * with_image + (1 - pictured) * without,
    }


def _of_text(checkpoint: Checkpoint, size: int) -> float:
    ids = torch.ones(1, size).long()
    return _count(lambda: checkpoint.text_encoder(ids, ids.bool()))


def _count(run: Any) -> float:
    with FlopCounterMode(display=False) as counted, torch.inference_mode():
        run()
    return float(counted.get_total_flops())


def rates(threads: int) -> dict[str, float]:
    """Operations a second of square products of 1,024, by ONNX Runtime: fp32 and int8."""
    rng = np.random.default_rng(0)
    whole = rng.standard_normal((SIZE, SIZE)).astype(np.float32)
    rounded = rng.integers(-127, 127, (SIZE, SIZE)).astype(np.int8)
    return {
        "fp32": _rate("MatMul", whole, whole, TensorProto.FLOAT, threads),
        "int8": _rate("MatMulInteger", rounded.view(np.uint8), rounded, TensorProto.INT32, threads),
    }


def _rate(operator: str, x: Any, weight: Any, kind: int, threads: int) -> float:
    node = helper.make_node(operator, ["x", "w"], ["y"])
    taken = helper.np_dtype_to_tensor_dtype(x.dtype)
    graph = helper.make_graph(
        [node],
        "product",
        [helper.make_tensor_value_info("x", taken, [SIZE, SIZE])],
        [helper.make_tensor_value_info("y", kind, [SIZE, SIZE])],
        [
            helper.make_tensor(
                "w",
                helper.np_dtype_to_tensor_dtype(weight.dtype),
                weight.shape,
                weight.tobytes(),
                raw=True,
            )
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    session.run(None, {"x": x})
    begun, products = time.perf_counter(), 0
    while time.perf_counter() - begun < SECONDS:
        session.run(None, {"x": x})
        products += 1
    return products * 2 * SIZE**3 / (time.perf_counter() - begun)


def ceiling(needed: dict[str, float], found: dict[str, float], precision: str) -> float:
    """Posts a second if every product ran at the rate of the precision."""
    return found[precision] / sum(needed.values())
