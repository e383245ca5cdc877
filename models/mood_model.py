"""The mood model: features of a post's text and image to sentiment, emotions and fusion weights."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.attention import AttentionBlock, AttentivePooling, WeightedFusion, masked_mean
from models.labels import HEADS


@dataclass(frozen=True)
class MoodModelConfig:
    """Sizes of a mood model."""

    text_width: int
    image_width: int
    joint_width: int = 256
    heads: int = 4
    dropout: float = 0.1
    fusion_score: str = "bilinear"


@dataclass(frozen=True)
class MoodOutput:
    """What the model says about a batch.

    Attributes:
        logits: by head; sentiment (batch, 3), emotions (batch, 28), irony and offence (batch, 1).
        alphas: (batch, 2), the weights of text and image, equations (1) and (2).
        text_joint: (batch, width), unit length, the text's place in the joint space.
        image_joint: the same for the image; None without images.
    """

    logits: dict[str, Tensor]
    alphas: Tensor
    text_joint: Tensor
    image_joint: Tensor | None


class MoodModel(nn.Module):
    """Joint projection, attention within and between, weighted fusion and the heads.

    Text tokens T and image patches V are projected to one joint space. The cosine similarity of
    their means there is trained contrastively and gives the mismatch. Attention within each, then
    across, attentive pooling to f_T and f_I, fusion by equations (1) to (3), one linear head each.
    Nothing of the image side touches a post without an image: its answer is the text's alone.
    """

    def __init__(self, config: MoodModelConfig) -> None:
        super().__init__()
        width, heads, dropout = config.joint_width, config.heads, config.dropout
        self.config = config
        self.text = ModalityPath(config.text_width, width, heads, dropout)
        self.image = ModalityPath(config.image_width, width, heads, dropout)
        self.text_from_image = AttentionBlock(width, heads, dropout)
        self.image_from_text = AttentionBlock(width, heads, dropout)
        self.fusion = WeightedFusion(width, config.fusion_score)
        self.heads = nn.ModuleDict({name: nn.Linear(width, size) for name, size in HEADS.items()})
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        tokens: Tensor,
        token_mask: Tensor,
        patches: Tensor | None = None,
        patch_mask: Tensor | None = None,
    ) -> MoodOutput:
        """Reads one batch.

        Args:
            tokens: text features, (batch, tokens, text width).
            token_mask: (batch, tokens), true where a token is; all false: the text is missing.
            patches: image features, (batch, patches, image width).
            patch_mask: (batch, patches); all false in a row: that post has no image.
        """
        text = self.text.look_within(tokens, token_mask)
        if patches is None or patch_mask is None:
            return self._text_alone(text, tokens, token_mask)
        image = self.image.look_within(patches, patch_mask)
        text, image = (
            self.text_from_image(text, image, patch_mask),
            self.image_from_text(image, text, token_mask),
        )
        pooled_text, text = self.text.pool(text, token_mask)
        pooled_image, image = self.image.pool(image, patch_mask)
        present = torch.stack([token_mask.any(dim=1), patch_mask.any(dim=1)], dim=1)
        fused, alphas = self.fusion(
            pooled_text, pooled_image, present, (text, image), (token_mask, patch_mask)
        )
        text_joint = self.text.joint(tokens, token_mask)
        return MoodOutput(
            self._answers(fused), alphas, text_joint, self.image.joint(patches, patch_mask)
        )

    def _text_alone(self, text: Tensor, tokens: Tensor, token_mask: Tensor) -> MoodOutput:
        fused, _ = self.text.pool(text, token_mask)
        alphas = fused.new_tensor([1.0, 0.0]).expand(len(fused), 2)
        return MoodOutput(
            self._answers(fused), alphas, self.text.joint(tokens, token_mask), image_joint=None
        )

    def _answers(self, fused: Tensor) -> dict[str, Tensor]:
        fused = self.dropout(fused)
        return {name: head(fused) for name, head in self.heads.items()}


class ModalityPath(nn.Module):
    """What a modality goes through alone: projection, self-attention, pooling, joint space."""

    def __init__(self, input_width: int, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.project = nn.Linear(input_width, width)
        self.within = AttentionBlock(width, heads, dropout)
        self.norm = nn.LayerNorm(width)
        self.pooling = AttentivePooling(width)
        self.match = nn.Linear(width, width, bias=False)

    def look_within(self, features: Tensor, mask: Tensor) -> Tensor:
        """Projection and self-attention: (batch, regions, input width) -> (batch, regions, w)."""
        regions = self.project(features)
        attended: Tensor = self.within(regions, regions, mask)
        return attended

    def pool(self, regions: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Attentive pooling: f (batch, width) and the normalised regions."""
        regions = self.norm(regions)
        return self.pooling(regions, mask), regions

    def joint(self, features: Tensor, mask: Tensor) -> Tensor:
        """Place in the joint space, unit length, from this modality alone: (batch, width)."""
        mean = masked_mean(self.project(features), mask)
        return functional.normalize(self.match(mean).float(), dim=-1)


def mismatch_score(text_joint: Tensor, image_joint: Tensor) -> Tensor:
    """(1 - cos(text, image)) / 2, in [0, 1]; 0 where they agree: (batch, w) twice -> (batch,)."""
    return ((1 - (text_joint * image_joint).sum(dim=-1)) / 2).clamp(0, 1)
