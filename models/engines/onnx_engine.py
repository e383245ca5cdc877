"""Runs a checkpoint's exported graphs with ONNX Runtime on the CPU, without torch."""

from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import onnxruntime

from models.checkpoint import GRAPH_SUFFIX, WEIGHTS_FILE, CheckpointError, existing, unusable
from models.engines.engine import Floats, Halves, Ids, Mask, Moods, Pixels
from models.labels import HEADS

Session: TypeAlias = onnxruntime.InferenceSession

PARTS: Final = ("text", "image", "mood_of_text", "mood_of_both")
WHOLE: Final = "fp32"
PRECISIONS: Final = ("fp32", "int8")
DIGEST_KEY: Final = "weights"  # in a graph's metadata: of the weights that it was exported with
_FORM: Final = b"halves"  # changes with what graphs take and give
_SLOWER: Final = ["SkipLayerNormFusion"]  # 40 us where an addition and a norm take 13
_EIGHT_BIT_FLAGS: Final = ("avx512_vnni", "avx_vnni", "asimddp", "i8mm", "amx_int8")


class OnnxEngine:
    """An `Engine` on exported graphs: one post a pass, in its own length, in one thread.

    Nothing is padded, and a post has no company that could change its bits, nor does the number
    of threads: `workers` posts are read at once, each by one thread.
    """

    rows = 1

    def __init__(self, folder: Path, precision: str, workers: int) -> None:
        """Loads the graphs of a folder.

        Raises:
            CheckpointError: a graph is missing or damaged, or was exported from other weights.
        """
        self.name = f"onnx {precision}"
        self.workers = workers
        digest = digest_of(existing(folder / WEIGHTS_FILE))
        self._text, self._image, self._mood_of_text, self._mood_of_both = (
            _open(graph_for(folder, part, precision), digest) for part in PARTS
        )

    def read_texts(self, ids: Ids, mask: Mask) -> Floats:
        """Token features, see `Engine`; one row has no padding to mask."""
        return np.asarray(_run(self._text, ids=ids)[0])

    def read_images(self, pixels: Pixels) -> Halves:
        """Patch features, see `Engine`."""
        return np.asarray(_run(self._image, pixels=pixels)[0])

    def fuse(self, tokens: Floats, mask: Mask, patches: Halves | None) -> Moods:
        """Moods, see `Engine`."""
        if patches is None:
            *logits, alphas, text_joint = _run(self._mood_of_text, tokens=tokens)
            image_joint = None
        else:
            both = {"tokens": tokens, "has_text": mask[:, 0], "patches": patches}
            *logits, alphas, text_joint, image_joint = _run(self._mood_of_both, **both)
        return Moods(dict(zip(HEADS, logits, strict=True)), alphas, text_joint, image_joint)


def graph_file(folder: Path, part: str, precision: str) -> Path:
    """Where a graph lies in its checkpoint."""
    return folder / f"{part}.{precision}{GRAPH_SUFFIX}"


def graph_for(folder: Path, part: str, precision: str) -> Path:
    """The graph to use: an image encoder that was not calibrated has a whole one alone."""
    own = graph_file(folder, part, precision)
    return own if own.is_file() else graph_file(folder, part, WHOLE)


def exported_precisions(folder: Path) -> tuple[str, ...]:
    """The precisions that a checkpoint was exported in, told by its text encoder."""
    return tuple(one for one in PRECISIONS if graph_file(folder, "text", one).is_file())


def multiplies_bytes() -> bool:
    """Whether the processor multiplies 8-bit numbers into 32-bit sums.

    One that does not (x86 before VNNI) sums pairs of products in 16 bits, which may overflow:
    there 8-bit networks are neither quick nor exact.
    """
    try:
        words = set(Path("/proc/cpuinfo").read_text("utf-8").split())
    except OSError:
        return False
    return not words.isdisjoint(_EIGHT_BIT_FLAGS)


def digest_of(weights: Path) -> str:
    """A hash of the weights, which graphs carry: they point at places in that very file.

    Graphs of another form, which an earlier version wrote, carry another hash.
    """
    with weights.open("rb") as stream:
        digest = blake2b(digest_size=16, person=_FORM)
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _open(file: Path, digest: str) -> Session:
    existing(file)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.log_severity_level = 3
    try:
        session = Session(
            str(file), options, providers=["CPUExecutionProvider"], disabled_optimizers=_SLOWER
        )
    except Exception as error:  # onnxruntime's own exceptions have no common class
        raise unusable(file, f"is damaged or lost its {WEIGHTS_FILE} ({error})") from error
    if session.get_modelmeta().custom_metadata_map.get(DIGEST_KEY) != digest:
        raise CheckpointError(
            f"{file} was exported from other weights than {WEIGHTS_FILE} holds now, or by an "
            "earlier version; run "
            f"`moodwire export --checkpoint {file.parent}`"
        )
    return session


def _run(session: Session, **inputs: Any) -> list[Any]:
    return list(session.run(None, inputs))
