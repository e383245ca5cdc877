"""The ways of putting text and image together that are compared, on frozen features."""

import copy
from typing import Final

import torch
from torch import Tensor, nn

from models.attention import AttentionBlock, WeightedFusion
from models.labels import SENTIMENTS
from models.mood_model import MoodModel
from models.training.graph_convolution import GraphConvolution
from models.training.pairs import Batch

VARIANTS: Final = {
    "text": "text alone",
    "image": "image alone",
    "mean": "mean of both vectors",
    "concatenation": "both vectors side by side",
    "dot": "weighted by dot α",
    "bilinear": "weighted by bilinear α",
    "cross": "cross-modality attention, then bilinear α",
    "graph": "cross-modal graph convolution, then bilinear α",
}


class Reader(nn.Module):
    """Sentiment of pairs in one of the ways of `VARIANTS`.

    All start from the same trained paths and train all that they have, so that what differs is
    the way alone: projection, self-attention and pooling of each modality, then the way, then one
    linear layer. In: a batch. Out: logits (batch, 3).
    """

    def __init__(self, variant: str, mood: MoodModel) -> None:
        super().__init__()
        if variant not in VARIANTS:
            raise ValueError(f"variant {variant!r}: use one of {', '.join(VARIANTS)}")
        config = mood.config
        width = config.joint_width
        self.variant = variant
        self.text, self.image = copy.deepcopy(mood.text), copy.deepcopy(mood.image)
        self.fusion = WeightedFusion(width, "dot" if variant == "dot" else "bilinear")
        if variant == "cross":
            self.text_from_image, self.image_from_text = (
                AttentionBlock(width, config.heads, config.dropout) for _ in range(2)
            )
        if variant == "graph":
            self.convolutions = nn.ModuleList(
                GraphConvolution(width, config.dropout) for _ in range(2)
            )
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(width * (2 if variant == "concatenation" else 1), len(SENTIMENTS))
        self.requires_grad_(True)

    def forward(self, batch: Batch) -> Tensor:
        logits: Tensor = self.head(self.dropout(self._vector(batch)))
        return logits

    def _vector(self, batch: Batch) -> Tensor:
        patch_mask = torch.ones(batch.images.shape[:2], dtype=torch.bool)
        patch_mask = patch_mask.to(batch.images.device)
        masks = (batch.token_mask, patch_mask)
        if self.variant == "text":
            return self._pooled_text(batch)
        image = self.image.look_within(batch.images.float(), patch_mask)
        if self.variant == "image":
            return self.image.pool(image, patch_mask)[0]
        text = self.text.look_within(batch.tokens, batch.token_mask)
        if self.variant == "cross":
            text, image = (
                self.text_from_image(text, image, patch_mask),
                self.image_from_text(image, text, batch.token_mask),
            )
        if self.variant == "graph":
            nodes, there = torch.cat([text, image], dim=1), torch.cat(masks, dim=1)
            for convolution in self.convolutions:
                nodes = convolution(nodes, there)
            text, image = nodes.split([text.shape[1], image.shape[1]], dim=1)
        text_vector, text = self.text.pool(text, batch.token_mask)
        image_vector, image = self.image.pool(image, patch_mask)
        if self.variant == "concatenation":
            return torch.cat([text_vector, image_vector], dim=1)
        if self.variant == "mean":
            return (text_vector + image_vector) / 2
        present = torch.ones(len(text), 2, dtype=torch.bool, device=text.device)
        fused: Tensor = self.fusion(text_vector, image_vector, present, (text, image), masks)[0]
        return fused

    def _pooled_text(self, batch: Batch) -> Tensor:
        text = self.text.look_within(batch.tokens, batch.token_mask)
        return self.text.pool(text, batch.token_mask)[0]
