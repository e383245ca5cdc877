"""Scores posts with a checkpoint; a post's scores do not depend on its neighbours."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.calibration import sigmoid, softmax
from models.checkpoint import Checkpoint, load_checkpoint
from models.feature_cache import FeatureCache, content_key
from models.images import to_pixels
from models.labels import EMOTIONS, SENTIMENTS
from models.mood_model import MoodOutput, mismatch_score

# Forward passes have these shapes and no others, whatever the batch: a post's bucket follows from
# its own token count, and short groups are filled up with empty rows. Kernels then take the same
# path for a post each time, so live and replay agree to the last bit.
TOKEN_BUCKETS: Final = (16, 24, 32, 48, 64, 96, 128, 256, 512)
ROWS: Final = 8
IMAGE_ROWS: Final = 4
_WINDOW: Final = 1024  # posts whose image features are held at a time
_DECIMALS: Final = 6

Member = TypeVar("Member")
Floats = NDArray[np.float64]


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
    """A post's place in the joint space: unit vectors of 32 bits, (joint width,).

    Attributes:
        text: of the text alone; None without text.
        image: of the images alone, several averaged; None without images.
    """

    text: NDArray[np.float32] | None
    image: NDArray[np.float32] | None


class Scorer:
    """Scores posts with one checkpoint, in 32-bit floats on the CPU.

    Guarantee: on one machine and with one number of threads, a post's scores are the same bits
    whatever else is in the batch, in whatever order, and whether or not its image was seen before.
    """

    def __init__(self, checkpoint: Checkpoint, cached_images: int = 512) -> None:
        self._checkpoint = checkpoint
        self._features = FeatureCache(cached_images)
        self._buckets = [size for size in TOKEN_BUCKETS if size <= checkpoint.tokenizer.max_tokens]
        if self._buckets[-1:] != [checkpoint.tokenizer.max_tokens]:
            self._buckets.append(checkpoint.tokenizer.max_tokens)

    @classmethod
    def load(
        cls, folder: str | Path, threads: int | None = None, cached_images: int = 512
    ) -> "Scorer":
        """Loads a checkpoint folder, offline.

        Args:
            folder: what `save_checkpoint` wrote.
            threads: torch's threads in this process; None leaves them as they are.
            cached_images: how many images' features are remembered.
        """
        if threads is not None:
            torch.set_num_threads(threads)
        return cls(load_checkpoint(folder), cached_images)

    @property
    def model(self) -> str:
        """Version of the checkpoint."""
        return self._checkpoint.version

    @torch.inference_mode()
    def score(self, items: Sequence[ScoreInput]) -> list[Scores]:
        """Scores posts, in the order given.

        Raises:
            ValueError: an image is not a readable rendition.
        """
        scores: dict[int, Scores] = {}
        for members, output in self._outputs(items):
            seen = [bool(items[index].images and items[index].text) for index in members]
            scores.update(zip(members, self._read(output, seen), strict=True))
        return [scores[index] for index in range(len(items))]

    @torch.inference_mode()
    def embed(self, items: Sequence[ScoreInput]) -> list[Embedding]:
        """Places posts in the joint space, in the order given.

        Raises:
            ValueError: an image is not a readable rendition.
        """
        placed: dict[int, Embedding] = {}
        for members, output in self._outputs(items):
            for row, index in enumerate(members):
                text = output.text_joint[row].numpy().copy() if items[index].text else None
                image = None if output.image_joint is None else output.image_joint[row]
                placed[index] = Embedding(text, None if image is None else image.numpy().copy())
        return [placed[index] for index in range(len(items))]

    def _outputs(self, items: Sequence[ScoreInput]) -> Iterator[tuple[list[int], MoodOutput]]:
        """What the model says to each group of posts, with their indexes; a window at a time."""
        for start in range(0, len(items), _WINDOW):
            for members, output in self._window_outputs(items[start : start + _WINDOW]):
                yield [start + index for index in members], output

    def _window_outputs(
        self, items: Sequence[ScoreInput]
    ) -> Iterator[tuple[list[int], MoodOutput]]:
        ids = self._checkpoint.tokenizer([item.text for item in items])
        features = self._image_features(items)
        for length, with_images, members in self._groups(items, ids):
            output = self._forward(
                length,
                [ids[index] for index in members],
                [bool(items[index].text) or not with_images for index in members],
                [_average(items[index].images, features) for index in members if with_images],
            )
            yield members, output

    def _groups(
        self, items: Sequence[ScoreInput], ids: list[list[int]]
    ) -> Iterator[tuple[int, bool, list[int]]]:
        groups: dict[tuple[int, bool], list[int]] = defaultdict(list)
        for index, (item, row) in enumerate(zip(items, ids, strict=True)):
            length = next(size for size in self._buckets if size >= len(row))
            groups[length, bool(item.images)].append(index)
        for (length, with_images), members in groups.items():
            for part in _cut(members, ROWS):
                yield length, with_images, part

    def _forward(
        self, length: int, ids: list[list[int]], has_text: list[bool], images: list[Tensor]
    ) -> MoodOutput:
        token_ids = torch.zeros(ROWS, length, dtype=torch.long)
        token_mask = torch.zeros(ROWS, length, dtype=torch.bool)
        token_mask[:, 0] = True
        for row, tokens in enumerate(ids):
            token_ids[row, : len(tokens)] = torch.tensor(tokens)
            token_mask[row, : len(tokens)] = True
        tokens_read = self._checkpoint.text_encoder(token_ids, token_mask)
        token_mask[: len(ids)] &= torch.tensor(has_text)[:, None]
        if not images:
            return self._mood(tokens_read, token_mask)
        patches = torch.zeros(ROWS, *images[0].shape)
        patches[: len(images)] = torch.stack(images)
        return self._mood(tokens_read, token_mask, patches, torch.ones(patches.shape[:2]).bool())

    def _mood(self, *features: Tensor) -> MoodOutput:
        output: MoodOutput = self._checkpoint.mood(*features)
        return output

    def _image_features(self, items: Sequence[ScoreInput]) -> dict[bytes, Tensor]:
        """Patch features of every image, by the image's bytes: (patches, width), 16 bits."""
        found: dict[bytes, Tensor] = {}
        missing: dict[bytes, bytes] = {}
        for image in {image: None for item in items for image in item.images}:
            key = content_key(image)
            cached = self._features.get(key)
            if cached is None:
                missing[key] = image
            else:
                found[image] = cached
        for keys in _cut(list(missing), IMAGE_ROWS):
            for key, features in zip(
                keys, self._encode(missing[key] for key in keys), strict=False
            ):
                found[missing[key]] = features
                self._features.put(key, features)
        return found

    def _encode(self, images: Iterable[bytes]) -> Tensor:
        pixels = np.zeros((IMAGE_ROWS, 224, 224, 3), dtype=np.uint8)
        for row, image in enumerate(images):
            pixels[row] = to_pixels(image)
        features: Tensor = self._checkpoint.image_encoder(torch.from_numpy(pixels))
        return features.half()

    def _read(self, output: MoodOutput, has_both: list[bool]) -> Iterator[Scores]:
        temperatures = self._checkpoint.calibration.temperatures
        logits = {name: values.double().numpy() for name, values in output.logits.items()}
        sentiment = softmax(logits["sentiment"], temperatures["sentiment"])
        emotions = sigmoid(logits["emotions"], temperatures["emotions"])
        irony = sigmoid(logits["irony"], temperatures["irony"])
        offence = sigmoid(logits["offence"], temperatures["offence"])
        mismatches = _mismatches(output)
        for row, both in enumerate(has_both):
            negative, _, positive = sentiment[row]
            confidence = _rounded(sentiment[row].max())
            alpha_text = _rounded(output.alphas[row, 0])
            yield Scores(
                sentiment=_named(SENTIMENTS, sentiment[row]),
                emotions=_named(EMOTIONS, emotions[row]),
                irony=_rounded(irony[row, 0]),
                offence=_rounded(offence[row, 0]),
                valence=_rounded(positive - negative),
                confidence=confidence,
                abstained=confidence < self._checkpoint.calibration.abstain_below,
                alpha_text=alpha_text,
                alpha_image=_rounded(1 - alpha_text),
                mismatch=_rounded(mismatches[row]) if both else None,
                model=self.model,
            )


def _mismatches(output: MoodOutput) -> Tensor:
    if output.image_joint is None:
        return torch.zeros(ROWS)
    return mismatch_score(output.text_joint, output.image_joint)


def _average(images: tuple[bytes, ...], features: dict[bytes, Tensor]) -> Tensor:
    """Patch features of a post's images, averaged: (patches, width)."""
    return torch.stack([features[image].float() for image in images]).mean(dim=0)


def _cut(members: list[Member], size: int) -> Iterator[list[Member]]:
    return (members[start : start + size] for start in range(0, len(members), size))


def _named(names: Sequence[str], values: Floats) -> dict[str, float]:
    return {name: _rounded(value) for name, value in zip(names, values, strict=True)}


def _rounded(value: float | Tensor) -> float:
    return round(float(value), _DECIMALS)
