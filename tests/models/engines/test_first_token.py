"""Facts about a first token that holds a huge number: it is found, and costs others nothing."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper
from safetensors.torch import save_file

from models.engines.first_token import NO_HUGE_TOKEN, FirstToken
from models.engines.graph_weights import WeightSwap
from models.engines.packed_weights import read_index
from models.quantisation import pack

READS, SAYS = 256, 64
TIMES = 16.0


def a_layer(weight: NDArray[np.float32], huge: float) -> ModelProto:
    """Ids -> features, of which those of id 0 are huge -> a layer that says less than it reads."""
    table = np.random.default_rng(0).uniform(-1, 1, (8, READS)).astype(np.float32)
    table[:, 0] = 1.0
    table[0] *= huge
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["x"]),
        helper.make_node("Transpose", ["layer.weight"], ["turned"], perm=[1, 0]),
        helper.make_node("MatMul", ["x", "turned"], ["y"]),
    ]
    known = [numpy_helper.from_array(table, "table")]
    known.append(numpy_helper.from_array(weight, "layer.weight"))
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, [1, "tokens"])
    says = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, "tokens", SAYS])
    graph = helper.make_graph(nodes, "layer", [ids], [says], known)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture
def weight() -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(size=(SAYS, READS)).astype(np.float32)


IDS = [np.array([[0, 1, 2, 3]]), np.array([[0, 5, 4]])]


def test_a_huge_first_token_is_found_with_how_huge_it_is(weight: NDArray[np.float32]) -> None:
    found = FirstToken.seen(a_layer(weight, TIMES), IDS)

    assert found.tensors == {"x"}
    assert found.times == pytest.approx(TIMES, rel=0.02)


def test_a_first_token_like_others_is_left_alone(weight: NDArray[np.float32]) -> None:
    assert FirstToken.seen(a_layer(weight, 1.0), IDS) == NO_HUGE_TOKEN


def test_a_huge_first_token_does_not_make_the_steps_of_others_coarser(
    weight: NDArray[np.float32], tmp_path: Path
) -> None:
    save_file(pack({"layer.weight": torch.from_numpy(weight)}), tmp_path / "w.safetensors")
    stored, ids = read_index(tmp_path / "w.safetensors"), IDS[0]

    def said(first_token: FirstToken, int8: bool = True) -> NDArray[np.float32]:
        graph = a_layer(weight, TIMES)
        WeightSwap(graph, stored, "w.safetensors", int8=int8, first_token=first_token).apply()
        (tmp_path / "layer.onnx").write_bytes(graph.SerializeToString())
        session = onnxruntime.InferenceSession(tmp_path / "layer.onnx")
        return np.asarray(session.run(None, {"ids": ids})[0][0])

    whole = said(NO_HUGE_TOKEN, int8=False)
    together, divided = (
        np.abs(said(first) - whole).mean(axis=1)
        for first in (NO_HUGE_TOKEN, FirstToken(frozenset({"x"}), TIMES))
    )

    assert (divided[1:] < together[1:] / 4).all()
    assert divided[0] < 2 * together[0]
