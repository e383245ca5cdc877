"""Starts timm's `mobilenetv2_100` from an int8 TFLite file; needed only for training."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from models.image_encoder import ImageEncoder

# The file reads pixels as (q - 127) / 127.5.
_MEAN, _STD = [127 / 255] * 3, [127.5 / 255] * 3

Convolution = tuple[NDArray[np.float32], NDArray[np.float32]]


def load_into(encoder: ImageEncoder, file: Path) -> None:
    """Fills the encoder with the file's weights, dequantised per channel.

    Batch norm is folded into the file's convolutions, so the encoder's own becomes: add the bias.

    Raises:
        ValueError: the file's layers do not fit the encoder's.
    """
    layers = list(_layers(encoder.backbone))
    folded = list(_convolutions(file))[: len(layers)]  # behind them comes the classifier
    for (convolution, norm), (weight, bias) in zip(layers, folded, strict=True):
        kernel = torch.from_numpy(weight.transpose(0, 3, 1, 2).copy())
        if kernel.shape[0] == 1:  # depthwise: (1, channels, rows, columns)
            kernel = kernel.transpose(0, 1)
        if kernel.shape != convolution.weight.shape:
            raise ValueError(f"{file}: kernel {tuple(kernel.shape)} does not fit the encoder")
        _fill(convolution, norm, kernel, torch.from_numpy(bias))
    encoder.set_scaling(_MEAN, _STD)


def classifier(file: Path) -> Convolution:
    """The layer behind the encoder: (1001, width), (1001,); class 0 is none of ImageNet's 1,000."""
    weight, bias = list(_convolutions(file))[-1]
    return weight[:, 0, 0, :], bias


def _fill(
    convolution: nn.Conv2d, norm: nn.BatchNorm2d, kernel: torch.Tensor, bias: torch.Tensor
) -> None:
    with torch.no_grad():
        convolution.weight.copy_(kernel)
        norm.weight.fill_(1)
        norm.bias.copy_(bias)
        assert norm.running_mean is not None and norm.running_var is not None
        norm.running_mean.zero_()
        norm.running_var.fill_(1 - norm.eps)


def _layers(backbone: nn.Module) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    convolution = None
    for module in backbone.modules():
        if isinstance(module, nn.Conv2d):
            convolution = module
        elif isinstance(module, nn.BatchNorm2d) and convolution is not None:
            yield convolution, module


def _convolutions(file: Path) -> Iterator[Convolution]:
    """Kernels (out, rows, columns, in) and biases (out,) in the network's order."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(file), num_threads=1)
    details = {detail["index"]: detail for detail in interpreter.get_tensor_details()}
    for operation in interpreter._get_ops_details():
        if operation["op_name"] in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            _, kernel, bias = operation["inputs"]
            yield (
                _dequantise(interpreter, details[kernel]),
                _dequantise(interpreter, details[bias]),
            )


def _dequantise(interpreter: Any, detail: dict[str, Any]) -> NDArray[np.float32]:
    values = interpreter.get_tensor(detail["index"]).astype(np.float32)
    quantisation = detail["quantization_parameters"]
    shape = [1] * values.ndim
    shape[quantisation["quantized_dimension"]] = -1
    scaled: NDArray[np.float32] = values * quantisation["scales"].reshape(shape)
    return scaled
