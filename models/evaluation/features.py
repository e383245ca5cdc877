"""Frozen features of pairs, so that small heads can be fitted again and again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from models.checkpoint import Checkpoint
from models.evaluation.labelled import DataError, Labelled
from models.images import render, to_pixels
from models.text_preparation import prepare_text
from models.training.data import pad
from models.training.progress import save_atomically

Progress = Callable[[str, int, int], None]
_TEXTS_AT_ONCE = 32
_IMAGES_AT_ONCE = 16


@dataclass(frozen=True)
class PairFeatures:
    """What the frozen encoders make of pairs.

    Attributes:
        tokens: text features of each pair, (tokens, text width), as long as the text.
        text: f_T, the pooled text as a text-only post has it, (pairs, joint width).
        patches: image features, float16, (pairs, patches, image width).
        labels: sentiment, (pairs,).
        key: of the checkpoint and the pairs that they were made from.
    """

    tokens: list[Tensor]
    text: Tensor
    patches: Tensor
    labels: NDArray[np.int64]
    key: str

    def __len__(self) -> int:
        return len(self.tokens)

    def with_other_images(self, seed: int) -> "PairFeatures":
        """The same texts, each with the image of another pair drawn by `seed`: a control.

        What is fitted to these pairs knows the texts and has as many weights, but its images say
        nothing about their posts.
        """
        cycle = np.random.default_rng(seed).permutation(len(self))
        other = np.empty_like(cycle)
        other[cycle] = np.roll(cycle, 1)  # along one cycle, so that no pair keeps its image
        return replace(self, patches=self.patches[other], key=f"{self.key}-others-{seed}")

    def image_means(self) -> Tensor:
        """Mean of each image's patches, (pairs, image width)."""
        return torch.stack([patches.float().mean(dim=0) for patches in self.patches])


def pair_features(
    checkpoint: Checkpoint, pairs: Labelled, kept: Path, key: str, progress: Progress
) -> PairFeatures:
    """Encodes pairs as serving would; read from the file `kept` if it was made under `key`."""
    key = _key(pairs, key)
    state: dict[str, Any] = torch.load(kept, weights_only=True) if kept.is_file() else {}
    if state.get("key") != key:
        tokens, text = encode_texts(checkpoint, [prepare_text(text) for text in pairs.texts])
        patches = encode_images(checkpoint, pairs.images, progress)
        state = {"key": key, "tokens": tokens, "text": text, "patches": patches}
        save_atomically(state, kept)
    return PairFeatures(state["tokens"], state["text"], state["patches"], pairs.truth, key)


@torch.no_grad()
def encode_texts(checkpoint: Checkpoint, texts: Sequence[str]) -> tuple[list[Tensor], Tensor]:
    """Token features of each text, and f_T of all, (texts, joint width)."""
    tokens: list[Tensor] = []
    vectors: list[Tensor] = []
    path = checkpoint.mood.text
    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        ids = checkpoint.tokenizer(texts[start : start + _TEXTS_AT_ONCE])
        padded, mask = pad(ids)
        features = checkpoint.text_encoder(padded, mask)
        vectors.append(path.pool(path.look_within(features, mask), mask)[0])
        tokens += [row[: len(own)].clone() for row, own in zip(features, ids, strict=True)]
    return tokens, torch.cat(vectors)


@torch.no_grad()
def encode_images(checkpoint: Checkpoint, files: Sequence[Path], progress: Progress) -> Tensor:
    """Patch features of image files, float16 (images, patches, width)."""
    found = []
    for start in range(0, len(files), _IMAGES_AT_ONCE):
        progress("image features", start, len(files))
        pixels = [to_pixels(rendition(file)) for file in files[start : start + _IMAGES_AT_ONCE]]
        found.append(checkpoint.image_encoder(torch.from_numpy(np.stack(pixels))).half())
    progress("image features", len(files), len(files))
    return torch.cat(found)


def rendition(file: Path) -> bytes:
    """What serving would make of an image file.

    Raises:
        DataError: it is no image that can be read.
    """
    try:
        with Image.open(file) as image:
            return render(image)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{file}: is not a readable image ({error})") from error


def _key(pairs: Labelled, key: str) -> str:
    digest = blake2b(key.encode(), digest_size=16)
    for text, image in zip(pairs.texts, pairs.images, strict=True):
        for part in (text.encode(), image.read_bytes()):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
