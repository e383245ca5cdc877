"""Facts about convolutions in 8 bits: the shipped bytes, torch's features, the same each time."""

from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import onnx
import onnxruntime
import pytest

from models.checkpoint import DEFAULT_CHECKPOINT
from models.engines.export import export_checkpoint
from models.engines.graph_rounding import Range
from models.engines.onnx_engine import OnnxEngine
from models.images import to_pixels
from tests.models.tiny_model import a_rendition, a_saved_checkpoint

PICTURES = [a_rendition(red, (300, height)) for red in (180, 200, 220) for height in (224, 260)]


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = a_saved_checkpoint(tmp_path_factory.mktemp("model"), width=64)
    export_checkpoint(folder, folder, images=PICTURES)
    return folder


@pytest.mark.parametrize(("low", "high"), [(-1.0, 3.0), (0.0, 6.0), (0.5, 2.0), (-4.0, -1.0)])
def test_a_range_holds_zero_exactly_and_its_ends_within_a_step(low: float, high: float) -> None:
    scale, zero = Range.of(low, high)

    assert 0 <= zero <= 255
    for value in (min(low, 0), 0.0, max(high, 0)):
        nearest = scale * (np.clip(round(value / scale) + zero, 0, 255) - zero)
        assert nearest == pytest.approx(value, abs=scale if value else 0)


def test_features_are_close_to_whole_ones(calibrated: Path) -> None:
    whole, rounded = (OnnxEngine(calibrated, name, workers=1) for name in ("fp32", "int8"))

    for picture in PICTURES:
        pixels = to_pixels(picture)[None]
        theirs, ours = (one.read_images(pixels).astype(np.float32) for one in (whole, rounded))
        assert np.linalg.norm(ours - theirs) < 0.1 * np.linalg.norm(theirs)
        assert np.array_equal(ours, rounded.read_images(pixels))


def test_without_pictures_the_image_encoder_stays_whole(tmp_path: Path) -> None:
    folder = a_saved_checkpoint(tmp_path)

    export_checkpoint(folder, folder)

    assert not (folder / "image.int8.onnx").exists()
    assert OnnxEngine(folder, "int8", workers=1).read_images(to_pixels(PICTURES[0])[None]).any()


def test_the_shipped_pictures_are_read_by_the_shipped_bytes() -> None:
    file = DEFAULT_CHECKPOINT / "image.int8.onnx"
    graph = onnx.load(file, load_external_data=False).graph
    shipped = [t for t in graph.initializer if t.data_location == onnx.TensorProto.EXTERNAL]
    own = [t for t in graph.initializer if t.data_location != onnx.TensorProto.EXTERNAL]

    assert sum(int(np.prod(t.dims)) for t in shipped) > 2_000_000
    assert sum(len(t.raw_data) for t in own) < 400_000
    assert {t.data_type for t in shipped} == {onnx.TensorProto.INT8}


def test_every_convolution_of_the_shipped_encoder_runs_on_bytes(tmp_path: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.enable_profiling = True
    options.profile_file_prefix = str(tmp_path / "profile")
    session = onnxruntime.InferenceSession(
        str(DEFAULT_CHECKPOINT / "image.int8.onnx"), options, providers=["CPUExecutionProvider"]
    )
    session.run(None, {"pixels": to_pixels(PICTURES[0])[None]})

    ran = Counter(
        event["args"]["op_name"]
        for event in msgspec.json.decode(Path(session.end_profiling()).read_bytes())
        if event["name"].endswith("kernel_time")
    )

    assert ran["QLinearConv"] == 52  # of MobileNetV2
    assert not {"Conv", "FusedConv", "Clip", "QuantizeLinear"} & ran.keys()
