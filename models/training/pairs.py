"""Pairs of text and image with frozen features, for the stages after the text's."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from models.images import render, to_pixels
from models.labels import SENTIMENTS
from models.text_encoder import TextEncoder
from models.text_preparation import prepare_text
from models.text_tokenizer import TextTokenizer
from models.training.averaging import trained_parameters
from models.training.data import TrainingDataError, pad, read_rows
from models.training.features import FeatureStore, Tensors, digest, fingerprint
from models.training.image_top import ImageTop

MVSA = Path("pairs/mvsa_single")
STREAM = Path("streams/mediaeval2016")
UNLABELLED = -1
_AT_ONCE = 32


@dataclass(frozen=True)
class RawPair:
    """A text as the model reads it, its image's file, and its sentiment or `UNLABELLED`."""

    text: str
    image: Path
    label: int = UNLABELLED


@dataclass(frozen=True)
class Batch:
    """Some pairs.

    Attributes:
        tokens: text features, (batch, tokens, text width).
        token_mask: (batch, tokens).
        images: what `ImageTop` reads, (batch, ...).
        image_ids: which image it is, (batch,); equal for posts that share one.
        labels: sentiment or `UNLABELLED`, (batch,).
    """

    tokens: Tensor
    token_mask: Tensor
    images: Tensor
    image_ids: Tensor
    labels: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same on a device."""
        return Batch(*(tensor.to(device) for tensor in vars(self).values()))


@dataclass(frozen=True)
class Pairs:
    """Frozen features of pairs, on the CPU.

    Attributes:
        tokens: text features of each pair, float16 (tokens, text width).
        images: of each distinct image, float16 (images, ...).
        image_ids: row in `images` of each pair, (pairs,).
        labels: (pairs,).
        groups: equal for pairs that share a text or an image, (pairs,); keep them in one fold.
    """

    tokens: list[Tensor]
    images: Tensor
    image_ids: Tensor
    labels: Tensor
    groups: Tensor

    def __len__(self) -> int:
        return len(self.tokens)

    def batch(self, rows: Sequence[int]) -> Batch:
        """Some pairs, texts padded."""
        chosen = [self.tokens[row].float() for row in rows]
        mask = pad_sequence([torch.ones(len(row), dtype=torch.bool) for row in chosen], True)
        index = torch.as_tensor(list(rows))
        ids = self.image_ids[index]
        return Batch(pad_sequence(chosen, True), mask, self.images[ids], ids, self.labels[index])


@dataclass(frozen=True)
class Parts:
    """What is trained on, and what is looked at meanwhile."""

    train: Pairs
    validation: Pairs

    def digest(self) -> bytes:
        """A hash of which image, how long a text and which label each pair has."""
        read = [
            (one.image_ids.tolist(), one.labels.tolist(), [len(tokens) for tokens in one.tokens])
            for one in (self.train, self.validation)
        ]
        return digest(repr(read).encode())


def labelled_pairs(data: Path, part: str) -> list[RawPair]:
    """One part (train or validation) of MVSA-Single.

    Raises:
        TrainingDataError: the file is not there, or a row is no pair.
    """
    file = data / MVSA / f"{part}.jsonl.gz"
    rows = read_rows(file)
    try:
        return [
            RawPair(
                prepare_text(row["text"]),
                data / MVSA / row["image"],
                SENTIMENTS.index(row["label"]),
            )
            for row in rows
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise TrainingDataError(
            f"{file}: a row has no text, image or known label ({error}); "
            f"labels are {', '.join(SENTIMENTS)}"
        ) from error


def stream_pairs(data: Path) -> list[RawPair]:
    """Distinct (text, image) of the MediaEval stream; none where the stream is not at hand.

    Of texts that differ in addresses and mentions alone, one stays for each image.
    """
    file = data / STREAM / "posts.jsonl.gz"
    if not file.is_file():
        return []
    pairs = {
        (prepare_text(row["text"]), image): None
        for row in read_rows(file)
        for image in row.get("images") or ()
    }
    return [RawPair(text, data / STREAM / image) for text, image in pairs if text]


def encode_pairs(
    raw: Sequence[RawPair],
    text: tuple[TextTokenizer, TextEncoder],
    top: ImageTop,
    store: FeatureStore,
) -> Pairs:
    """Frozen features of pairs as serving would compute them, from the store where it has them.

    Raises:
        TrainingDataError: an image is missing or cannot be read.
    """
    files = list(dict.fromkeys(pair.image for pair in raw))
    digests = [digest(_bytes_of(file)) for file in files]
    distinct = list(dict.fromkeys(digests))  # the same picture under two names is one
    number = {key: index for index, key in enumerate(distinct)}
    file_of = dict(zip(digests, files, strict=True))
    place = {file: number[key] for file, key in zip(files, digests, strict=True)}
    images = _encode_images([file_of[key] for key in distinct], distinct, top, store)
    texts = [pair.text for pair in raw]
    ids = torch.tensor([place[pair.image] for pair in raw])
    return Pairs(
        _encode_texts(texts, text, store),
        images,
        ids,
        torch.tensor([pair.label for pair in raw]),
        torch.tensor(_groups(texts, ids.tolist())),
    )


def _encode_images(
    files: list[Path], digests: list[bytes], top: ImageTop, store: FeatureStore
) -> Tensor:
    device = next(top.parameters()).device

    def make(rows: range) -> Tensors:
        parts = []
        for start in range(rows.start, rows.stop, _AT_ONCE):
            chosen = files[start : min(rows.stop, start + _AT_ONCE)]
            pixels = torch.from_numpy(np.stack(list(pool.map(_serving_pixels, chosen))))
            parts.append(top.store(pixels.to(device)).cpu())
        return {"images": torch.cat(parts)}

    maker = fingerprint(top.encoder, top.cut, trained=trained_parameters(top.encoder))
    with ThreadPoolExecutor(2) as pool:
        found = store.read("images", maker, digests, make)
    return torch.cat([one["images"] for one in found])


def _encode_texts(
    texts: list[str], text: tuple[TextTokenizer, TextEncoder], store: FeatureStore
) -> list[Tensor]:
    tokenizer, encoder = text
    encoder.eval()
    device = next(encoder.parameters()).device
    ids = tokenizer(texts)

    def make(rows: range) -> Tensors:
        features: dict[int, Tensor] = {}
        order = sorted(rows, key=lambda row: len(ids[row]))
        for start in range(0, len(order), _AT_ONCE):
            chosen = order[start : start + _AT_ONCE]
            token_ids, mask = pad([ids[row] for row in chosen])
            with torch.inference_mode():
                encoded = encoder(token_ids.to(device), mask.to(device)).half().cpu()
            features |= {
                row: one[: len(ids[row])] for row, one in zip(chosen, encoded, strict=True)
            }
        lengths = torch.tensor([len(ids[row]) for row in rows])
        return {"tokens": torch.cat([features[row] for row in rows]), "lengths": lengths}

    maker = fingerprint(encoder, tokenizer.max_tokens)
    found = store.read("texts", maker, [digest(one.encode()) for one in texts], make)
    return [
        tokens.clone() for one in found for tokens in one["tokens"].split(one["lengths"].tolist())
    ]


def _groups(texts: Sequence[str], images: Sequence[int]) -> list[int]:
    """The smallest row that a row is tied to by equal texts or images, over any number of steps."""
    parent = list(range(len(texts)))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    first: dict[str | int, int] = {}
    for row, keys in enumerate(zip(texts, images, strict=True)):
        for key in keys:
            one, other = sorted((root(row), root(first.setdefault(key, row))))
            parent[other] = one
    return [root(row) for row in range(len(texts))]


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise TrainingDataError(f"{file}: {error.strerror}; see docs/training.md") from error


def _serving_pixels(file: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    try:
        with Image.open(file) as image:
            return to_pixels(render(image))
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise TrainingDataError(f"{file}: is not a readable image ({error})") from error
