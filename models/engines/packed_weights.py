"""ONNX tensors that lie in a checkpoint's weights.safetensors, so that no weight is kept twice."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from onnx import TensorProto

_TYPES: Final = {
    "I8": TensorProto.INT8,
    "F16": TensorProto.FLOAT16,
    "F32": TensorProto.FLOAT,
    "I64": TensorProto.INT64,
}


@dataclass(frozen=True)
class StoredTensor:
    """Where a tensor lies: its ONNX type, shape, and the bytes from `offset` on."""

    name: str
    kind: int
    shape: tuple[int, ...]
    offset: int
    length: int

    def as_initializer(self, file: str) -> TensorProto:
        """The tensor as ONNX's external data in `file`, which lies beside the graph."""
        tensor = TensorProto(name=self.name, data_type=self.kind, dims=self.shape)
        tensor.data_location = TensorProto.EXTERNAL
        where = {"location": file, "offset": self.offset, "length": self.length}
        for key, value in where.items():
            tensor.external_data.add(key=key, value=str(value))
        return tensor


def read_index(file: Path) -> dict[str, StoredTensor]:
    """The tensors of a safetensors file by name.

    The format: eight bytes with the length of a JSON header, the header, then the tensors' bytes,
    little-endian and row by row, which is how ONNX wants external data too.
    """
    with file.open("rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        header: dict[str, Any] = json.loads(stream.read(size))
    header.pop("__metadata__", None)
    return {name: _stored(name, entry, 8 + size) for name, entry in header.items()}


def _stored(name: str, entry: dict[str, Any], start: int) -> StoredTensor:
    begin, end = entry["data_offsets"]
    kind = int(_TYPES[entry["dtype"]])
    return StoredTensor(name, kind, tuple(entry["shape"]), start + begin, end - begin)
