"""Scores posts with a checkpoint; a post's scores do not depend on its neighbours."""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.calibration import sigmoid, softmax
from models.checkpoint import Checkpoint, Description, describe_checkpoint
from models.content_cache import ContentCache, content_key
from models.engines.choose import AUTO, load_engine
from models.engines.engine import Engine, Floats
from models.labels import EMOTIONS, SENTIMENTS
from models.passes import Mood, Passes

CACHED_IMAGES: Final = 512  # their features take about 125 KB each with the shipped encoder
CACHED_SCORES: Final = 4096  # about 4 KB each
_WINDOW: Final = 1024  # posts whose image features are held at a time
_DECIMALS: Final = 6


class ScoreInput(msgspec.Struct, frozen=True):
    """A post as the model reads it.

    Attributes:
        text: what `models.text_preparation.prepare_text` made of it; empty: no text.
        images: what `models.images.render` made of its images; several are averaged patch by patch.
    """

    text: str
    images: tuple[bytes, ...] = ()


class Scores(msgspec.Struct, frozen=True):
    """The mood of a post. Probabilities are calibrated and rounded to six decimals.

    Attributes:
        sentiment: negative, neutral, positive; sums to 1.
        emotions: the 28 of GoEmotions, each by itself.
        irony: probability.
        offence: probability.
        valence: P(positive) - P(negative), in [-1, 1].
        confidence: the largest sentiment probability.
        abstained: the confidence is below the checkpoint's threshold.
        alpha_text: weight of the text in the fusion, 1 without images.
        alpha_image: weight of the image, 1 - alpha_text.
        mismatch: how far text and image are apart, in [0, 1]; None unless both are there.
        model: version of the checkpoint.
    """

    sentiment: dict[str, float]
    emotions: dict[str, float]
    irony: float
    offence: float
    valence: float
    confidence: float
    abstained: bool
    alpha_text: float
    alpha_image: float
    mismatch: float | None
    model: str


class Embedding(msgspec.Struct, frozen=True, eq=False):
    """A post's places in the joint space, where cosine similarity says what belongs together.

    Attributes:
        text: 32-bit floats of unit length, (joint width,); None without text.
        image: the same for its images, averaged; None without images.
    """

    text: Floats | None
    image: Floats | None


class Scorer:
    """Scores posts with one checkpoint; many threads may share one scorer.

    Guarantee: on one machine, with one engine and (torch alone) one number of threads, a post's
    scores are the same bits whatever else is in the batch, in whatever order, and whether or not
    it or its image was seen before.
    """

    def __init__(
        self,
        checkpoint: Checkpoint | Description,
        cached_images: int = CACHED_IMAGES,
        cached_scores: int = CACHED_SCORES,
        engine: Engine | None = None,
    ) -> None:
        """Without an engine, the checkpoint's own torch modules run.

        Raises:
            TypeError: there is neither an engine nor torch modules.
        """
        if engine is None:
            if isinstance(checkpoint, Description):
                raise TypeError("a description has no networks: give an engine too")
            from models.engines.torch_engine import TorchEngine

            engine = TorchEngine(checkpoint)
        self._checkpoint = checkpoint
        self._passes = Passes(engine, checkpoint.tokenizer, cached_images)
        self._scores: ContentCache[Scores] = ContentCache(cached_scores)
        self._remembered, self._lock = 0, Lock()
        self.engine = engine.name

    @classmethod
    def load(
        cls,
        folder: str | Path,
        threads: int | None = None,
        cached_images: int = CACHED_IMAGES,
        cached_scores: int = CACHED_SCORES,
        *,
        engine: str = AUTO,
        precision: str = AUTO,
    ) -> "Scorer":
        """Loads a checkpoint folder, offline.

        Args:
            folder: what `moodwire train` or `moodwire export` wrote.
            threads: of the networks; None is every core that this process may use.
            cached_images: how many images' features are remembered.
            cached_scores: how many posts' scores are remembered, by their text and images.
            engine: auto, onnx or torch, see `models.engines.choose.load_engine`.
            precision: auto, fp32 or int8.

        Raises:
            CheckpointError: the folder cannot be used, or lacks what was asked for.
        """
        described = describe_checkpoint(folder)
        loaded = load_engine(Path(folder), engine, precision, threads)
        return cls(described, cached_images, cached_scores, loaded)

    @property
    def model(self) -> str:
        """Version of the checkpoint."""
        return self._checkpoint.version

    def score(self, items: Sequence[ScoreInput]) -> list[Scores]:
        """Scores posts, in the order given; a repeated post is read once.

        Raises:
            ValueError: an image is not a readable rendition.
        """
        keys = [_key(item) for item in items]
        found: dict[bytes, Scores] = {}
        missing: dict[bytes, ScoreInput] = {}
        for key, item in zip(keys, items, strict=True):
            known = self._scores.get(key)
            if known is None:
                missing[key] = item
            else:
                found[key] = known
        for key, mood in zip(missing, self._read(list(missing.values())), strict=True):
            found[key] = self._score_one(mood, bool(missing[key].text))
            self._scores.put(key, found[key])
        with self._lock:
            self._remembered += len(items) - len(missing)
        return [found[key] for key in keys]

    def take_remembered(self) -> int:
        """How many posts, equal to one read before, were not read since this was last asked."""
        with self._lock:
            remembered, self._remembered = self._remembered, 0
        return remembered

    def embed(self, items: Sequence[ScoreInput]) -> list[Embedding]:
        """Places of posts in the joint space, in the order given.

        Raises:
            ValueError: an image is not a readable rendition.
        """
        return [
            Embedding(mood.text_joint.copy() if item.text else None, _copied(mood.image_joint))
            for item, mood in zip(items, self._read(items), strict=True)
        ]

    def _read(self, items: Sequence[ScoreInput]) -> list[Mood]:
        windows = (items[start : start + _WINDOW] for start in range(0, len(items), _WINDOW))
        return [mood for window in windows for mood in self._passes.read(window)]

    def _score_one(self, mood: Mood, has_text: bool) -> Scores:
        temperatures = self._checkpoint.calibration.temperatures
        logits = {head: row.astype(np.float64) for head, row in mood.logits.items()}
        sentiment = softmax(logits["sentiment"], temperatures["sentiment"])
        confidence = _rounded(sentiment.max())
        alpha_text = _rounded(mood.alphas[0])
        return Scores(
            sentiment=_named(SENTIMENTS, sentiment),
            emotions=_named(EMOTIONS, sigmoid(logits["emotions"], temperatures["emotions"])),
            irony=_rounded(sigmoid(logits["irony"], temperatures["irony"])[0]),
            offence=_rounded(sigmoid(logits["offence"], temperatures["offence"])[0]),
            valence=_rounded(sentiment[2] - sentiment[0]),
            confidence=confidence,
            abstained=confidence < self._checkpoint.calibration.abstain_below,
            alpha_text=alpha_text,
            alpha_image=_rounded(1 - alpha_text),
            mismatch=_mismatch(mood) if has_text else None,
            model=self.model,
        )


def _mismatch(mood: Mood) -> float | None:
    """(1 - cos(text, image)) / 2, in [0, 1]; 0 where they agree, None without an image."""
    if mood.image_joint is None:
        return None
    cosine = (mood.text_joint.astype(np.float64) * mood.image_joint).sum()
    return _rounded(min(max((1 - cosine) / 2, 0.0), 1.0))


def _key(item: ScoreInput) -> bytes:
    return content_key(item.text.encode("utf-8", "surrogatepass"), *item.images)


def _copied(row: Floats | None) -> Floats | None:
    return None if row is None else row.copy()


def _named(names: Sequence[str], values: NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(names, values.round(_DECIMALS).tolist(), strict=True))


def _rounded(value: float | np.floating) -> float:
    return round(float(value), _DECIMALS)
