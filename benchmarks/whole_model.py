"""The shipped networks as one torch module each, as Beam's torch handler wants a model."""

from __future__ import annotations

from torch import Tensor, nn

from models.checkpoint import DEFAULT_CHECKPOINT, load_checkpoint


class TextModel(nn.Module):
    """Sentiment logits of texts: ids and mask, (batch, tokens) each -> (batch, 3)."""

    def __init__(self) -> None:
        super().__init__()
        shipped = load_checkpoint(DEFAULT_CHECKPOINT)
        self.text_encoder, self.mood = shipped.text_encoder, shipped.mood

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        logits: Tensor = self.mood(self.text_encoder(ids, mask), mask).logits["sentiment"]
        return logits


class WholeModel(nn.Module):
    """The same of posts with an image: pixels (batch, 224, 224, 3)."""

    def __init__(self) -> None:
        super().__init__()
        shipped = load_checkpoint(DEFAULT_CHECKPOINT)
        self.text_encoder, self.mood = shipped.text_encoder, shipped.mood
        self.image_encoder = shipped.image_encoder

    def forward(self, ids: Tensor, mask: Tensor, pixels: Tensor) -> Tensor:
        patches = self.image_encoder(pixels)
        seen = patches.new_ones(patches.shape[:2]).bool()
        output = self.mood(self.text_encoder(ids, mask), mask, patches, seen)
        logits: Tensor = output.logits["sentiment"]
        return logits
