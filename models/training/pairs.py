"""Pairs of text and image with frozen features, for stage (b)."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from models.image_encoder import ImageEncoder
from models.images import render, to_pixels
from models.labels import SENTIMENTS
from models.text_encoder import TextEncoder, TextTokenizer
from models.text_preparation import prepare_text
from models.training.data import pad, read_rows
from models.training.progress import Progress, save_atomically

MVSA = Path("pairs/mvsa_single")
_IMAGES_AT_ONCE = 32
_TEXTS_AT_ONCE = 64


@dataclass(frozen=True)
class Pairs:
    """Frozen features of labelled pairs.

    Attributes:
        tokens: text features of each pair, (tokens, text width), as long as the text.
        patches: image features, float16 (pairs, patches, image width).
        labels: sentiment, (pairs,).
    """

    tokens: list[Tensor]
    patches: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.tokens)

    def batch(self, rows: Sequence[int]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Tokens and their mask padded, patches and labels of some pairs."""
        chosen = [self.tokens[row] for row in rows]
        mask = pad_sequence([torch.ones(len(row), dtype=torch.bool) for row in chosen], True)
        index = list(rows)
        return pad_sequence(chosen, True), mask, self.patches[index].float(), self.labels[index]


@torch.inference_mode()
def read_pairs(
    folder: Path,
    part: str,
    text: tuple[TextTokenizer, TextEncoder],
    image_encoder: ImageEncoder,
    kept: Path,
) -> Pairs:
    """Encodes one part (train or validation) of MVSA-Single as serving would.

    Image features are kept in the file `kept`, and read from there by the next run.
    """
    tokenizer, text_encoder = text
    rows = read_rows(folder / f"{part}.jsonl.gz")
    text_encoder.eval()
    image_encoder.eval()
    ids = tokenizer([prepare_text(row["text"]) for row in rows])
    if not kept.is_file():
        files = [folder / row["image"] for row in rows]
        patches = torch.cat(list(_encode_images(files, image_encoder, part)))
        save_atomically({"patches": patches}, kept)
    labels = torch.tensor([SENTIMENTS.index(row["label"]) for row in rows])
    patches = torch.load(kept, weights_only=True)["patches"]
    return Pairs(list(_encode_texts(ids, text_encoder)), patches, labels)


def _encode_texts(ids: list[list[int]], encoder: TextEncoder) -> Iterator[Tensor]:
    for start in range(0, len(ids), _TEXTS_AT_ONCE):
        part = ids[start : start + _TEXTS_AT_ONCE]
        features = encoder(*pad(part))
        yield from (row[: len(tokens)].clone() for row, tokens in zip(features, part, strict=True))


def _encode_images(files: list[Path], encoder: ImageEncoder, name: str) -> Iterator[Tensor]:
    progress = Progress(f"images {name}", len(files))
    with ThreadPoolExecutor(2) as pool:
        for start in range(0, len(files), _IMAGES_AT_ONCE):
            pixels = list(pool.map(_serving_pixels, files[start : start + _IMAGES_AT_ONCE]))
            yield encoder(torch.from_numpy(np.stack(pixels))).half()
            progress.report(start + len(pixels))


def _serving_pixels(file: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    with Image.open(file) as image:
        return to_pixels(render(image))
