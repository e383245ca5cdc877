"""Facts about exported checkpoints: whole without torch, tied to their weights, explained."""

import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from models.checkpoint import DEFAULT_CHECKPOINT, CheckpointError, save_checkpoint
from models.engines.choose import load_engine
from models.engines.export import export_checkpoint, graph_names
from models.engines.onnx_engine import OnnxEngine, multiplies_bytes
from models.scorer import ScoreInput, Scorer
from tests.models.tiny_model import a_checkpoint, a_saved_checkpoint

POSTS = [ScoreInput("good phone"), ScoreInput("very bad")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tiny exported checkpoint."""
    export_checkpoint(a_saved_checkpoint(tmp_path / "model"), tmp_path / "model")
    return tmp_path / "model"


def test_an_export_elsewhere_is_whole(tmp_path: Path) -> None:
    source = a_saved_checkpoint(tmp_path / "trained")

    written = export_checkpoint(source, tmp_path / "served", ("int8",))

    assert [file.name for file in written] == graph_names(("int8",))
    assert not list(source.glob("*.onnx"))
    there = Scorer.load(tmp_path / "served", engine="onnx", precision="int8")
    assert there.model == "tiny-1"
    assert there.score(POSTS)
    assert Scorer.load(tmp_path / "served", engine="torch").engine == "torch float32"


def test_graphs_hold_no_weights(folder: Path) -> None:
    for file in folder.glob("*.onnx"):
        graph = onnx.load(file, load_external_data=False).graph
        own = [t for t in graph.initializer if t.data_location != onnx.TensorProto.EXTERNAL]

        assert sum(len(tensor.raw_data) for tensor in own) < 2_000, file.name


def test_a_moved_folder_serves(folder: Path, tmp_path: Path) -> None:
    before = Scorer.load(folder, engine="onnx").score(POSTS)

    moved = folder.rename(tmp_path / "elsewhere")

    assert Scorer.load(moved, engine="onnx").score(POSTS) == before


def test_graphs_of_other_weights_are_refused_with_the_remedy(folder: Path, tmp_path: Path) -> None:
    other = a_saved_checkpoint(tmp_path / "other", seed=1)
    (other / "weights.safetensors").replace(folder / "weights.safetensors")

    with pytest.raises(CheckpointError, match=r"other weights .*`moodwire export --checkpoint"):
        OnnxEngine(folder, "fp32", workers=1)


def test_new_weights_remove_old_graphs(folder: Path) -> None:
    save_checkpoint(a_checkpoint(seed=1), folder)

    assert not list(folder.glob("*.onnx"))
    assert Scorer.load(folder).engine == "torch float32"


@pytest.mark.parametrize("name", graph_names(("fp32",)))
def test_a_missing_or_damaged_graph_is_named(folder: Path, name: str) -> None:
    file = folder / name
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(CheckpointError, match=f"{name} is damaged"):
        OnnxEngine(folder, "fp32", workers=1)

    file.unlink()
    with pytest.raises(CheckpointError, match=f"{name} is missing"):
        OnnxEngine(folder, "fp32", workers=1)


def test_auto_takes_what_the_folder_and_the_processor_have(tmp_path: Path) -> None:
    folder = a_saved_checkpoint(tmp_path)
    assert load_engine(folder).name == "torch float32"

    export_checkpoint(folder, folder)

    assert load_engine(folder).name == f"onnx {'int8' if multiplies_bytes() else 'fp32'}"


def test_what_was_not_exported_is_refused_with_the_remedy(tmp_path: Path) -> None:
    folder = a_saved_checkpoint(tmp_path)

    with pytest.raises(CheckpointError, match=r"not exported in fp32; run `moodwire export"):
        load_engine(folder, "onnx", "fp32")
    with pytest.raises(CheckpointError, match="use auto, onnx or torch"):
        load_engine(folder, "tensorflow")


def test_the_shipped_model_serves_without_torch() -> None:
    program = (
        "import sys\n"
        "from models.scorer import ScoreInput, Scorer\n"
        f"scorer = Scorer.load({str(DEFAULT_CHECKPOINT)!r}, engine='onnx')\n"
        "print(max((s := scorer.score([ScoreInput('I love it')])[0].sentiment), key=s.get))\n"
        "print([name for name in ('torch', 'transformers', 'timm', 'onnx') if name in sys.modules])"
    )

    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert said.stdout.split("\n")[:2] == ["positive", "[]"]


def test_the_shipped_graphs_multiply_the_shipped_bytes() -> None:
    graph = onnx.load(DEFAULT_CHECKPOINT / "text.int8.onnx", load_external_data=False).graph
    operators = [node.op_type for node in graph.node]

    # Six layers of six products with weights, of which attention takes three.
    assert (operators.count("QAttention"), operators.count("MatMulInteger")) == (6, 6 * 3)
