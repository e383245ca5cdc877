"""What an image encoder takes a picture for, in the words that it was pretrained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from torch import Tensor

from models.checkpoint import save_weights, unusable
from models.explanation.records import Shown
from models.explanation.regions import to_grid
from models.quantisation import unpack

ANNOTATOR_FILE: Final = "annotator.safetensors"
TOLD_FROM: Final = 0.3  # probability; how often such a word is right is in docs/evaluation.md
MOST: Final = 3
_DECIMALS: Final = 6


class Annotator:
    """The classifier that belongs to an image encoder's features, with a word for each class.

    It reads the features that the fusion reads, so its words tell what reached the fusion: they
    explain a reading, and are no caption that could be relied on. Where in the
    picture a word holds is the class's activation map: with a mean over patches in front of a
    linear layer, each patch has its own share of the logit. Source: Zhou et al. 2016, Learning Deep
    Features for Discriminative Localization, equation (2).

    Args:
        words: one for each class; empty: the class takes its probability and is never told.
        weight: (classes, width).
        bias: (classes,).
    """

    def __init__(self, words: Sequence[str], weight: Tensor, bias: Tensor) -> None:
        if not len(words) == len(weight) == len(bias):
            raise ValueError(f"{len(words)} words, {len(weight)} rows, {len(bias)} biases")
        self.words, self.weight, self.bias = tuple(words), weight, bias

    @classmethod
    def load(cls, folder: Path) -> Annotator | None:
        """Of a checkpoint; None where it has none.

        Raises:
            CheckpointError: the file is damaged.
        """
        from safetensors import SafetensorError, safe_open
        from safetensors.torch import load_file

        file = folder / ANNOTATOR_FILE
        if not file.is_file():
            return None
        try:
            with safe_open(file, "pt") as held:
                words = msgspec.json.decode((held.metadata() or {})["words"], type=list[str])
            state = unpack(load_file(file))
            return cls(words, state["weight"], state["bias"])
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            raise unusable(file, f"is damaged ({error})") from error

    def save(self, folder: Path) -> None:
        """Writes it into a checkpoint's folder, in 8 bits as the encoders are."""
        state = {"weight": self.weight, "bias": self.bias}
        words = {"words": msgspec.json.encode(self.words).decode()}
        save_weights(state, folder / ANNOTATOR_FILE, words)

    def logits(self, patches: Tensor) -> Tensor:
        """(pictures, patches, width) -> (pictures, classes)."""
        return patches.mean(dim=1) @ self.weight.T + self.bias

    def __call__(self, patches: Tensor) -> tuple[Shown, ...]:
        """What it takes one picture for, the surest first: at most three words.

        Shape: (patches, width).
        """
        probabilities = self.logits(patches[None])[0].softmax(dim=0)
        likely = probabilities.topk(min(MOST, len(self.words))).indices.tolist()
        return tuple(
            Shown(
                self.words[index],
                round(float(probabilities[index]), _DECIMALS),
                self._regions(patches, index),
            )
            for index in likely
            if self.words[index] and probabilities[index] >= TOLD_FROM
        )

    def _regions(self, patches: Tensor, index: int) -> tuple[tuple[float, ...], ...] | None:
        activation = (patches @ self.weight[index]).clamp(min=0).double()
        grid = to_grid((activation / activation.sum().clamp(min=1e-12)).numpy())
        return None if grid is None else tuple(map(tuple, grid.round(_DECIMALS).tolist()))
