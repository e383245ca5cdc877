"""Attention within and between modalities, attentive pooling and the weighted fusion.

Source: the review that Moodwire follows, section 3.2, equations (1) to (3). T stands for text
(regions are tokens), I for image (regions are patches). A mask that is None says that every region
is there.
"""

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional


class AttentionBlock(nn.Module):
    """Multi-head attention with a residual path, then a small feed-forward layer.

    x' = x + softmax(Q(x) K(y)^T / sqrt(d_head)) V(y);  out = x' + MLP(x').  With y = x it is
    self-attention within a modality, with y the other modality it is cross-modality attention.

    Shapes: x (batch, regions, width), y (batch, others, width), y_mask (batch, others).
    A row whose y is missing (its mask all false, or `present` (batch,) says so) comes back exactly
    as it was.
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.1, expansion: int = 2) -> None:
        super().__init__()
        self.heads = heads
        self.norm_x, self.norm_y, self.norm_mlp = (nn.LayerNorm(width) for _ in range(3))
        self.query, self.output = nn.Linear(width, width), nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.expand = nn.Linear(width, expansion * width)
        self.contract = nn.Linear(expansion * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Tensor, y: Tensor, y_mask: Tensor | None, present: Tensor | None = None
    ) -> Tensor:
        if present is None and y_mask is not None:
            present = y_mask.any(dim=1)
        safe_mask = _never_empty(y_mask)
        attended = self._attend(self.norm_x(x), self.norm_y(y), safe_mask)
        updated: Tensor = x + self.dropout(attended)
        hidden = functional.gelu(self.expand(self.norm_mlp(updated)))
        updated = updated + self.dropout(self.contract(hidden))
        if present is None:
            return updated
        return torch.where(present[:, None, None], updated, x.to(updated.dtype))

    def weights(self, x: Tensor, y: Tensor, y_mask: Tensor) -> Tensor:
        """softmax(Q(x) K(y)^T / sqrt(d_head)), (batch, heads, regions, others).

        0 throughout where y is missing. For explanations: `forward` takes the fused kernel, which
        keeps no weights and is faster.
        """
        query = self._split(self.query(self.norm_x(x)))
        key = self._split(self._keys_and_values(self.norm_y(y))[0])
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        scores = scores.masked_fill(~_filled(y_mask)[:, None, None, :], -math.inf)
        return scores.softmax(dim=-1) * y_mask.any(dim=1)[:, None, None, None]

    def _attend(self, x: Tensor, y: Tensor, y_mask: Tensor | None) -> Tensor:
        query = self._split(self.query(x))  # (batch, heads, regions, width / heads)
        key, value = (self._split(part) for part in self._keys_and_values(y))
        mask = None if y_mask is None else y_mask[:, None, None, :]
        attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        merged = attended.transpose(1, 2).flatten(2)  # (batch, regions, width)
        return cast(Tensor, self.output(merged))

    def _keys_and_values(self, y: Tensor) -> tuple[Tensor, ...]:
        return cast(tuple[Tensor, ...], self.key_value(y).split(self.query.out_features, dim=-1))

    def _split(self, x: Tensor) -> Tensor:
        return x.reshape(*x.shape[:2], self.heads, -1).transpose(1, 2)


class BilinearScore(nn.Module):
    """score(a, b) = a^T W b / sqrt(width), W trained; a, b (..., width) -> (...), broadcast.

    W is not symmetric, so score(f_I, f_T) and score(f_T, f_I) differ, as equations (1) and (2)
    need. It starts at W = 0: equal weights.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(width, width))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        weighted = functional.linear(b, self.weight.to(b.dtype))  # W b
        return (a * weighted).sum(dim=-1) / math.sqrt(a.shape[-1])


class AttentivePooling(nn.Module):
    """The form of equations (1) to (3) over the regions of one modality.

    alpha_r = exp(score(x_r, m)) / sum_s exp(score(x_s, m)),  f = sum_r alpha_r x_r,  with m the
    mean of the regions and the bilinear score. Regions outside the mask get exactly 0.

    Shapes: x (batch, regions, width), mask (batch, regions) -> f (batch, width).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.score = BilinearScore(width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        return weighted_sum(self.weights(x, mask), x)

    def weights(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """The alpha_r of every region, (batch, regions)."""
        scores = self.score(x, masked_mean(x, mask)[:, None, :])
        return fusion_weights(scores, _never_empty(mask))


class WeightedFusion(nn.Module):
    """Weighted fusion of the modalities, source review section 3.2.

    (1) alpha_I = exp(score(f_I, f_T)) / sum exp(score)
    (2) alpha_T = exp(score(f_T, f_I)) / sum exp(score)
    (3) f_fuse = alpha_I f_I + alpha_T f_T

    The sums run over the modalities that are present; one alone has weight exactly 1.

    `bilinear` (default) trains the score. `dot` has nothing to train: since f_I . f_T = f_T . f_I,
    the plain dot product of the two pooled vectors would always give 1/2 each, so it is taken
    between every region of one modality and the other's pooled vector, and averaged in the
    exponent: exp(score_I) = mean_r exp(v_r . f_T / sqrt(width)). The mean, not the sum, so that
    more regions are not more weight.

    Shapes: f_T, f_I (batch, width), present (batch, 2) in the order text, image; regions and masks
    as in the blocks above. Out: f_fuse (batch, width), alphas (batch, 2) = (alpha_T, alpha_I).
    """

    def __init__(self, width: int, score: str = "bilinear") -> None:
        super().__init__()
        if score not in ("bilinear", "dot"):
            raise ValueError(f"fusion score {score!r}: use 'bilinear' or 'dot'")
        self.bilinear = BilinearScore(width) if score == "bilinear" else None

    def forward(
        self,
        text: Tensor,
        image: Tensor,
        present: Tensor,
        regions: tuple[Tensor, Tensor],
        masks: tuple[Tensor | None, Tensor | None],
    ) -> tuple[Tensor, Tensor]:
        if self.bilinear is not None:
            scores = [self.bilinear(text, image), self.bilinear(image, text)]
        else:
            scores = [
                dot_over_regions(regions[0], image, masks[0]),
                dot_over_regions(regions[1], text, masks[1]),
            ]
        alphas = fusion_weights(torch.stack(scores, dim=1), present)
        return weighted_sum(alphas, torch.stack([text, image], dim=1)), alphas


def fusion_weights(scores: Tensor, present: Tensor | None) -> Tensor:
    """exp(score) / sum exp(score) over what is present; equations (1), (2); (batch, n) -> same."""
    scores = scores.float()
    if present is not None:
        scores = scores.masked_fill(~present, -math.inf)
    return scores.softmax(dim=1)


def weighted_sum(weights: Tensor, features: Tensor) -> Tensor:
    """sum_m alpha_m f_m, equation (3): (batch, n), (batch, n, width) -> (batch, width)."""
    return (weights[:, :, None].to(features.dtype) * features).sum(dim=1)


def dot_over_regions(regions: Tensor, other: Tensor, mask: Tensor | None) -> Tensor:
    """Log of mean_r exp(x_r . f_other / sqrt(width)), r over the regions in the mask; (batch,)."""
    scores = (regions * other[:, None, :]).sum(dim=-1).float() / math.sqrt(other.shape[-1])
    if mask is None:
        count = torch.ones_like(scores).sum(dim=1)
        return scores.logsumexp(dim=1) - count.log()
    count = mask.sum(dim=1).clamp(min=1)
    return scores.masked_fill(~_filled(mask), -math.inf).logsumexp(dim=1) - count.log()


def masked_mean(x: Tensor, mask: Tensor | None) -> Tensor:
    """Mean of the regions in the mask, zero if there are none: (batch, n, w) -> (batch, w)."""
    if mask is None:
        return x.mean(dim=1)
    weights = mask[:, :, None].to(x.dtype)
    return (x * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


def _never_empty(mask: Tensor | None) -> Tensor | None:
    return None if mask is None else _filled(mask)


def _filled(mask: Tensor) -> Tensor:
    """The mask, all true in rows where nothing is: a softmax over nothing would be NaN."""
    return mask | ~mask.any(dim=1, keepdim=True)
