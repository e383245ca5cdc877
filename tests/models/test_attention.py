import math

import pytest
import torch

from models.attention import (
    AttentionBlock,
    AttentivePooling,
    BilinearScore,
    WeightedFusion,
    dot_over_regions,
    fusion_weights,
    weighted_sum,
)

# Worked by hand, width 2: f_T = (1, 2), f_I = (3, -1).
TEXT = torch.tensor([[1.0, 2.0]])
IMAGE = torch.tensor([[3.0, -1.0]])
BOTH = torch.tensor([[True, True]])
# W = ((0, 1), (-1, 2)):  W f_I = (-1, -5),  W f_T = (2, 3)
#   score(f_T, f_I) = f_T . W f_I / sqrt 2 = (-1 - 10) / sqrt 2 = -11 / sqrt 2
#   score(f_I, f_T) = f_I . W f_T / sqrt 2 = (6 - 3) / sqrt 2   =   3 / sqrt 2
W = torch.tensor([[0.0, 1.0], [-1.0, 2.0]])


def a_fusion(score: str = "bilinear") -> WeightedFusion:
    fusion = WeightedFusion(2, score)
    if fusion.bilinear is not None:
        fusion.bilinear.weight.data.copy_(W)
    return fusion


def fuse(fusion: WeightedFusion, present: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    regions = (TEXT[:, None, :], IMAGE[:, None, :])
    masks = (present[:, :1], present[:, 1:])
    fused, alphas = fusion(TEXT, IMAGE, present, regions, masks)
    return fused, alphas


def test_bilinear_score_by_hand() -> None:
    score = BilinearScore(2)
    score.weight.data.copy_(W)

    assert score(TEXT, IMAGE).item() == pytest.approx(-11 / math.sqrt(2))
    assert score(IMAGE, TEXT).item() == pytest.approx(3 / math.sqrt(2))


def test_equation_1_weight_of_the_image_by_hand() -> None:
    # alpha_I = exp(3 / sqrt 2) / (exp(3 / sqrt 2) + exp(-11 / sqrt 2)) = 8.3421 / 8.34252
    _, alphas = fuse(a_fusion(), BOTH)

    assert alphas[0, 1].item() == pytest.approx(1 / (1 + math.exp(-14 / math.sqrt(2))), abs=1e-6)
    assert alphas[0, 1].item() == pytest.approx(0.99995, abs=1e-5)


def test_equation_2_weight_of_the_text_by_hand() -> None:
    # alpha_T = exp(-11 / sqrt 2) / (exp(3 / sqrt 2) + exp(-11 / sqrt 2)) = 0.0000502
    _, alphas = fuse(a_fusion(), BOTH)

    assert alphas[0, 0].item() == pytest.approx(0.0000502, abs=1e-6)


def test_equation_3_weighted_sum_by_hand() -> None:
    # 0.25 (1, 2) + 0.75 (3, -1) = (2.5, -0.25)
    fused = weighted_sum(torch.tensor([[0.25, 0.75]]), torch.stack([TEXT, IMAGE], dim=1))

    assert fused.tolist() == [[2.5, -0.25]]


def test_fusion_is_the_three_equations_together() -> None:
    fused, alphas = fuse(a_fusion(), BOTH)

    expected = alphas[0, 0] * TEXT + alphas[0, 1] * IMAGE
    assert torch.allclose(fused, expected)


@pytest.mark.parametrize("score", ["bilinear", "dot"])
def test_weights_sum_to_one(score: str) -> None:
    _, alphas = fuse(a_fusion(score), BOTH)

    assert alphas.sum().item() == pytest.approx(1)


@pytest.mark.parametrize("score", ["bilinear", "dot"])
def test_missing_image_gives_all_weight_to_text(score: str) -> None:
    fused, alphas = fuse(a_fusion(score), torch.tensor([[True, False]]))

    assert alphas.tolist() == [[1.0, 0.0]]
    assert torch.equal(fused, TEXT)


@pytest.mark.parametrize("score", ["bilinear", "dot"])
def test_missing_text_gives_all_weight_to_image(score: str) -> None:
    fused, alphas = fuse(a_fusion(score), torch.tensor([[False, True]]))

    assert alphas.tolist() == [[0.0, 1.0]]
    assert torch.equal(fused, IMAGE)


def test_plain_dot_product_of_pooled_vectors_would_always_give_halves() -> None:
    dot = (TEXT * IMAGE).sum(dim=1)

    weights = fusion_weights(torch.stack([dot, (IMAGE * TEXT).sum(dim=1)], dim=1), BOTH)

    assert weights.tolist() == [[0.5, 0.5]]


def test_dot_over_regions_by_hand() -> None:
    # Regions (1, 0) and (0, 2) with other = (1, 1), width 2: scores 1 / sqrt 2 and 2 / sqrt 2,
    # log((e^0.70711 + e^1.41421) / 2) = log((2.02811 + 4.11325) / 2) = 1.12190
    regions = torch.tensor([[[1.0, 0.0], [0.0, 2.0], [9.0, 9.0]]])
    mask = torch.tensor([[True, True, False]])

    score = dot_over_regions(regions, torch.tensor([[1.0, 1.0]]), mask)

    assert score.item() == pytest.approx(1.12190, abs=1e-4)


def test_dot_over_regions_tells_the_modalities_apart() -> None:
    text_regions = torch.tensor([[[2.0, 0.0], [0.0, 0.0]]])
    image_regions = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])
    masks = (torch.ones(1, 2).bool(), torch.ones(1, 2).bool())
    text, image = text_regions.mean(dim=1), image_regions.mean(dim=1)

    _, alphas = WeightedFusion(2, "dot")(text, image, BOTH, (text_regions, image_regions), masks)

    assert alphas[0, 0] > 0.5 > alphas[0, 1]


def test_unknown_score_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match="use 'bilinear' or 'dot'"):
        WeightedFusion(2, "cosine")


def test_pooling_starts_as_the_mean_of_the_regions_in_the_mask() -> None:
    regions = torch.tensor([[[1.0, 2.0], [3.0, 6.0], [100.0, 100.0]]])
    mask = torch.tensor([[True, True, False]])

    assert AttentivePooling(2)(regions, mask).tolist() == [[2.0, 4.0]]


def test_no_mask_says_what_a_full_one_says() -> None:
    block, pooling = AttentionBlock(8, heads=2).eval(), AttentivePooling(8)
    torch.nn.init.normal_(pooling.score.weight)
    x, y, full = torch.randn(1, 3, 8), torch.randn(1, 4, 8), torch.ones(1, 4).bool()

    assert torch.allclose(block(x, y, None), block(x, y, full), atol=1e-6)
    assert torch.allclose(pooling(y, None), pooling(y, full), atol=1e-6)
    assert torch.allclose(
        dot_over_regions(y, x[:, 0], None), dot_over_regions(y, x[:, 0], full), atol=1e-6
    )


def test_rows_said_to_be_missing_come_back_as_they_were() -> None:
    block = AttentionBlock(8, heads=2).eval()
    x, y = torch.randn(2, 3, 8), torch.randn(2, 4, 8)

    updated = block(x, y, None, present=torch.tensor([True, False]))

    assert torch.equal(updated[1], x[1])
    assert not torch.equal(updated[0], x[0])


def test_attention_ignores_what_the_mask_hides() -> None:
    block = AttentionBlock(8, heads=2).eval()
    x, y = torch.randn(1, 3, 8), torch.randn(1, 4, 8)
    mask = torch.tensor([[True, True, False, False]])
    changed = y.clone()
    changed[:, 2:] = 50.0

    assert torch.equal(block(x, y, mask), block(x, changed, mask))


def test_attention_to_a_missing_modality_changes_nothing() -> None:
    block = AttentionBlock(8, heads=2).eval()
    x, y = torch.randn(2, 3, 8), torch.randn(2, 4, 8)
    mask = torch.tensor([[True] * 4, [False] * 4])

    updated = block(x, y, mask)

    assert torch.equal(updated[1], x[1])
    assert not torch.equal(updated[0], x[0])


def a_block_and_its_input() -> tuple[AttentionBlock, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Two rows: in the first two of three others are there, in the second none."""
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    x, y = (torch.randn(2, regions, 8, generator=generator) for regions in (4, 3))
    mask = torch.tensor([[True, True, False], [False, False, False]])
    return AttentionBlock(8, heads=2).eval(), x, y, mask


def test_attention_weights_are_those_of_the_fused_kernel() -> None:
    block, x, y, mask = a_block_and_its_input()
    value = block._split(block.key_value(block.norm_y(y)).chunk(2, dim=-1)[1])
    attended = block.output((block.weights(x, y, mask) @ value).transpose(1, 2).flatten(2))

    fused = block._attend(block.norm_x(x), block.norm_y(y), mask)

    assert torch.allclose(attended[0], fused[0], atol=1e-6)


def test_attention_weights_leave_out_what_is_missing() -> None:
    block, x, y, mask = a_block_and_its_input()

    weights = block.weights(x, y, mask)

    assert torch.allclose(weights[0].sum(dim=-1), torch.ones(2, 4))
    assert (weights[0, :, :, 2] == 0).all()
    assert (weights[1] == 0).all()
