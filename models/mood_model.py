"""The mood model: features of a post's text and image to sentiment, emotions and fusion weights."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.attention import AttentionBlock, AttentivePooling, WeightedFusion, masked_mean
from models.labels import HEADS


@dataclass(frozen=True)
class MoodModelConfig:
    """Sizes and parts of a mood model.

    Attributes:
        text_width: of the text encoder's features.
        image_width: of the image encoder's.
        joint_width: of everything here.
        heads: of each attention.
        dropout: while training.
        fusion_score: `bilinear` or `dot`, see `models.attention.WeightedFusion`.
        cross_attention: text and image attend to each other before they are pooled.
        pair_path: posts with an image have a text path and a sentiment layer of their own, so that
            they can be fitted to labels of pairs while text-only readings stay as they are.
        reads_images: False for a model that was trained on texts alone: a post's image is then
            treated as missing, and the mismatch of any pair is 0.5.
    """

    text_width: int
    image_width: int
    joint_width: int = 256
    heads: int = 4
    dropout: float = 0.1
    fusion_score: str = "bilinear"
    cross_attention: bool = True
    pair_path: bool = False
    reads_images: bool = True


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
        if config.cross_attention:
            self.text_from_image = AttentionBlock(width, heads, dropout)
            self.image_from_text = AttentionBlock(width, heads, dropout)
        if config.pair_path:
            self.pair_text = ModalityPath(config.text_width, width, heads, dropout, matches=False)
            self.pair_sentiment = nn.Linear(width, HEADS["sentiment"])
        self.fusion = WeightedFusion(width, config.fusion_score)
        self.heads = nn.ModuleDict({name: nn.Linear(width, size) for name, size in HEADS.items()})
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        tokens: Tensor,
        token_mask: Tensor | None,
        patches: Tensor | None = None,
        patch_mask: Tensor | None = None,
        has_text: Tensor | None = None,
    ) -> MoodOutput:
        """Reads one batch.

        Args:
            tokens: text features, (batch, tokens, text width).
            token_mask: (batch, tokens), true where a token is; all false: the text is missing.
                None: nothing is padded.
            patches: image features, (batch, patches, image width).
            patch_mask: (batch, patches); all false in a row: that post has no image. None says that
                every post has one: the path of texts alone is then not computed.
            has_text: (batch,), what the token mask says by itself; needed without one.
        """
        if patches is None:
            return self._text_alone(tokens, token_mask)
        if not self.config.reads_images:
            patch_mask = torch.zeros_like(patches[:, :, 0]).bool()
        seen = _rows(patch_mask)
        fused, alphas = self._fuse(tokens, token_mask, patches, patch_mask, has_text)
        answers = self._answers(fused)
        if self.config.pair_path:
            of_pairs = self.pair_sentiment(self.dropout(fused))
            answers["sentiment"] = _where(seen, of_pairs, lambda: answers["sentiment"])
        text_joint = self.text.joint(tokens, token_mask)
        return MoodOutput(answers, alphas, text_joint, self.image.joint(patches, patch_mask))

    def fused(
        self, tokens: Tensor, token_mask: Tensor, patches: Tensor, patch_mask: Tensor
    ) -> Tensor:
        """f_fuse of equation (3), (batch, width), of which the heads read; used in training."""
        return self._fuse(tokens, token_mask, patches, patch_mask)[0]

    def start_pair_path(self) -> None:
        """Makes the path of pairs say what the text-only one does; training starts from there."""
        if self.config.pair_path:
            own = self.pair_text.state_dict()
            self.pair_text.load_state_dict(
                {name: one for name, one in self.text.state_dict().items() if name in own}
            )
            self.pair_sentiment.load_state_dict(self.heads["sentiment"].state_dict())

    def _fuse(
        self,
        tokens: Tensor,
        token_mask: Tensor | None,
        patches: Tensor,
        patch_mask: Tensor | None,
        has_text: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        seen, everywhere = _rows(patch_mask), torch.ones_like(tokens[:, 0, 0]).bool()
        if has_text is None:
            has_text = everywhere if token_mask is None else token_mask.any(dim=1)
        text = self._of_text(seen, lambda path: path.look_within(tokens, token_mask))
        image = self.image.look_within(patches, patch_mask)
        if self.config.cross_attention:
            text, image = (
                self.text_from_image(text, image, patch_mask),
                self.image_from_text(image, text, token_mask, present=has_text),
            )
        regions = self._of_text(seen, lambda path: path.norm(text))
        pooled_text = self._of_text(seen, lambda path: path.pooling(regions, token_mask))
        pooled_image, image = self.image.pool(image, patch_mask)
        present = torch.stack([has_text, everywhere if seen is None else seen], dim=1)
        weighted: tuple[Tensor, Tensor] = self.fusion(
            pooled_text, pooled_image, present, (regions, image), (token_mask, patch_mask)
        )
        return weighted

    def _of_text(self, seen: Tensor | None, read: Callable[["ModalityPath"], Tensor]) -> Tensor:
        """What the text path of pairs says where an image is seen, else that of texts alone."""
        if not self.config.pair_path:
            return read(self.text)
        return _where(seen, read(self.pair_text), lambda: read(self.text))

    def _text_alone(self, tokens: Tensor, token_mask: Tensor | None) -> MoodOutput:
        fused, _ = self.text.pool(self.text.look_within(tokens, token_mask), token_mask)
        alphas = fused.new_tensor([1.0, 0.0]).expand(len(fused), 2)
        return MoodOutput(
            self._answers(fused), alphas, self.text.joint(tokens, token_mask), image_joint=None
        )

    def _answers(self, fused: Tensor) -> dict[str, Tensor]:
        fused = self.dropout(fused)
        return {name: head(fused) for name, head in self.heads.items()}


class ModalityPath(nn.Module):
    """What a modality goes through alone: projection, self-attention, pooling, joint space."""

    def __init__(
        self, input_width: int, width: int, heads: int, dropout: float, *, matches: bool = True
    ) -> None:
        super().__init__()
        self.project = nn.Linear(input_width, width)
        self.within = AttentionBlock(width, heads, dropout)
        self.norm = nn.LayerNorm(width)
        self.pooling = AttentivePooling(width)
        if matches:
            self.match = nn.Linear(width, width, bias=False)

    def look_within(self, features: Tensor, mask: Tensor | None) -> Tensor:
        """Projection and self-attention: (batch, regions, input width) -> (batch, regions, w)."""
        regions = self.project(features)
        attended: Tensor = self.within(regions, regions, mask)
        return attended

    def pool(self, regions: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Attentive pooling: f (batch, width) and the normalised regions."""
        regions = self.norm(regions)
        return self.pooling(regions, mask), regions

    def joint(self, features: Tensor, mask: Tensor | None) -> Tensor:
        """Place in the joint space, unit length, from this modality alone: (batch, width)."""
        mean = masked_mean(self.project(features), mask)
        return functional.normalize(self.match(mean).float(), dim=-1)


def mismatch_score(text_joint: Tensor, image_joint: Tensor) -> Tensor:
    """(1 - cos(text, image)) / 2, in [0, 1]; 0 where they agree: (batch, w) twice -> (batch,)."""
    return ((1 - (text_joint * image_joint).sum(dim=-1)) / 2).clamp(0, 1)


def _where(seen: Tensor | None, of_pairs: Tensor, others: Callable[[], Tensor]) -> Tensor:
    """Rows of pairs where an image is seen (None: in every row), else the others'."""
    if seen is None:
        return of_pairs
    return torch.where(seen.reshape(-1, *[1] * (of_pairs.ndim - 1)), of_pairs, others())


def _rows(mask: Tensor | None) -> Tensor | None:
    """Rows of which something is there, (batch,); None: all."""
    return None if mask is None else mask.any(dim=1)
