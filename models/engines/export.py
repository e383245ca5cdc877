"""Writes the ONNX graphs of a checkpoint beside its weights, which they share."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from onnx import ModelProto

from models.checkpoint import (
    GRAPH_SUFFIX,
    WEIGHTS_FILE,
    Checkpoint,
    CheckpointError,
    load_checkpoint,
)
from models.engines.engine import Ids
from models.engines.first_token import NO_HUGE_TOKEN, FirstToken
from models.engines.graph_rounding import ConvRounding, Range, observe
from models.engines.graph_weights import WeightSwap
from models.engines.graphs import patches_of, simplified, trace_image, trace_mood, trace_text
from models.engines.onnx_engine import (
    DIGEST_KEY,
    PARTS,
    PRECISIONS,
    WHOLE,
    OnnxEngine,
    digest_of,
    graph_file,
)
from models.engines.packed_weights import read_index
from models.engines.torch_engine import TorchEngine
from models.images import to_pixels
from models.scorer import ScoreInput, Scorer

CALIBRATING: Final = 128  # pictures are enough
_PROBES: Final = (ScoreInput("what a lovely day"), ScoreInput("it broke again, never buy this one"))
_PICTURES: Final = 8  # that both engines are asked about
_MOST_APART: Final = {"fp32": 0.001, "int8": 0.1}  # in the probability of a sentiment


def export_checkpoint(
    source: Path,
    output: Path,
    precisions: Sequence[str] = PRECISIONS,
    on_graph: Callable[[str], None] = lambda name: None,
    images: Sequence[bytes] = (),
) -> list[Path]:
    """Writes the graphs, and where `output` is another folder the checkpoint's own files too.

    Args:
        source: a checkpoint.
        output: where the graphs go; may be the same folder.
        precisions: of the graphs.
        on_graph: called with the name of each before it is written.
        images: renditions like those that will be read. In 8 bits the image encoder needs to have
            seen some (`CALIBRATING` are enough); without any it stays whole.

    Returns:
        The graphs. Earlier ones in `output` are gone.

    Raises:
        CheckpointError: `source` cannot be used, has networks that ONNX cannot express, or the
            graphs do not say what torch says.
    """
    checkpoint = load_checkpoint(source)
    _copy(source, output)
    written = []
    images = images[:CALIBRATING]
    for name, graph in _graphs(checkpoint, output / WEIGHTS_FILE, precisions, images):
        file = output / name
        on_graph(name)
        onnx.save(graph, file)
        written.append(file)
    for precision in precisions:
        _compare(checkpoint, output, precision, images)
    return written


def graph_names(precisions: Sequence[str], calibrated: bool = False) -> list[str]:
    """Files that an export writes, with pictures to calibrate the image encoder by or without."""
    return [
        graph_file(Path(), part, precision).name
        for part in PARTS
        for precision in _precisions_of(part, precisions, calibrated)
    ]


def _precisions_of(part: str, precisions: Sequence[str], calibrated: bool) -> Sequence[str]:
    return precisions if part != "image" or calibrated else (WHOLE,)


def _copy(source: Path, output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    for old in output.glob(f"*{GRAPH_SUFFIX}"):
        old.unlink()
    if output.resolve() != source.resolve():
        for file in source.iterdir():
            if file.is_file() and file.suffix != GRAPH_SUFFIX:
                shutil.copyfile(file, output / file.name)


def _graphs(
    checkpoint: Checkpoint, weights: Path, precisions: Sequence[str], images: Sequence[bytes]
) -> Iterator[tuple[str, ModelProto]]:
    """Name and graph, its weights those in the file."""
    stored, digest = read_index(weights), digest_of(weights)
    for part, trace in _traces(checkpoint):
        try:
            traced = trace()
        except Exception as error:  # of many kinds, by what the network does
            raise CheckpointError(
                f"{weights.parent}: its {part} network cannot be made an ONNX graph ({error}); "
                "serve it with torch (`model.engine: torch`)"
            ) from error
        first_token = NO_HUGE_TOKEN
        if part == "text":
            first_token = FirstToken.seen(traced, _probe_ids(checkpoint))
        for precision in _precisions_of(part, precisions, bool(images)):
            graph = ModelProto()
            graph.CopyFrom(traced)
            if part == "image" and precision != WHOLE:
                graph = _rounded(graph, checkpoint, weights, images)
            int8 = precision != WHOLE
            WeightSwap(graph, stored, weights.name, int8=int8, first_token=first_token).apply()
            graph.metadata_props.add(key=DIGEST_KEY, value=digest)
            yield graph_file(Path(), part, precision).name, graph


def _traces(checkpoint: Checkpoint) -> list[tuple[str, Callable[[], ModelProto]]]:
    mood, image_encoder = checkpoint.mood, checkpoint.image_encoder
    return [
        ("text", lambda: trace_text(checkpoint.text_encoder)),
        ("image", lambda: trace_image(image_encoder)),
        ("mood_of_text", lambda: trace_mood(mood)),
        ("mood_of_both", lambda: trace_mood(mood, patches_of(image_encoder))),
    ]


def _probe_ids(checkpoint: Checkpoint) -> list[Ids]:
    return [np.array([row]) for row in checkpoint.tokenizer([probe.text for probe in _PROBES])]


def _rounded(
    traced: ModelProto, checkpoint: Checkpoint, weights: Path, images: Sequence[bytes]
) -> ModelProto:
    """The image graph with its convolutions in 8 bits."""
    graph = simplified(traced)
    ranges = observe(graph, [to_pixels(image)[None] for image in images])
    pixels = Range.of_pixels(*checkpoint.image_encoder.scaling())
    ConvRounding(graph, weights, ranges, pixels).apply()
    return graph


def _compare(checkpoint: Checkpoint, output: Path, precision: str, images: Sequence[bytes]) -> None:
    """Ask both engines about some posts; a graph that lost something in tracing shows here."""
    probes = [*_PROBES, *(ScoreInput(_PROBES[0].text, (image,)) for image in images[:_PICTURES])]
    rivals = (TorchEngine(checkpoint, device="cpu"), OnnxEngine(output, precision, workers=1))
    theirs, ours = (Scorer(checkpoint, engine=engine).score(probes) for engine in rivals)
    apart = max(
        abs(one.sentiment[name] - other.sentiment[name])
        for one, other in zip(theirs, ours, strict=True)
        for name in one.sentiment
    )
    if apart > _MOST_APART[precision]:
        raise CheckpointError(
            f"{output}: the {precision} graphs are {apart:.4f} away from torch in the probability "
            f"of a sentiment, at most {_MOST_APART[precision]} was expected; serve this checkpoint "
            "with torch (`model.engine: torch`), or export another precision"
        )
