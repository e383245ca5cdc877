from dataclasses import replace

import pytest
import torch

from models.labels import HEADS
from models.mood_model import MoodModel, MoodModelConfig, mismatch_score


def a_model(**parts: bool) -> MoodModel:
    torch.manual_seed(0)
    config = MoodModelConfig(text_width=12, image_width=10, joint_width=16, heads=2)
    model = MoodModel(replace(config, **parts))  # type: ignore[arg-type]
    assert model.fusion.bilinear is not None
    torch.nn.init.normal_(model.fusion.bilinear.weight)
    return model.eval()


def a_batch(rows: int = 3) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randn(rows, 5, 12, generator=generator)
    patches = torch.randn(rows, 4, 10, generator=generator)
    return tokens, torch.ones(rows, 5).bool(), patches, torch.ones(rows, 4).bool()


def test_every_head_has_its_logits() -> None:
    output = a_model()(*a_batch())

    assert {name: tuple(logits.shape) for name, logits in output.logits.items()} == {
        name: (3, size) for name, size in HEADS.items()
    }


def test_weights_of_text_and_image_sum_to_one() -> None:
    alphas = a_model()(*a_batch()).alphas

    assert torch.allclose(alphas.sum(dim=1), torch.ones(3))
    assert ((alphas > 0) & (alphas < 1)).all()


def test_masked_image_reads_as_no_image_at_all() -> None:
    model, (tokens, token_mask, patches, patch_mask) = a_model(), a_batch()
    alone = model(tokens, token_mask)

    masked = model(tokens, token_mask, patches, torch.zeros_like(patch_mask))

    assert masked.alphas.tolist() == [[1.0, 0.0]] * 3
    assert torch.allclose(masked.logits["sentiment"], alone.logits["sentiment"], atol=1e-6)


def test_hidden_text_leaves_all_weight_to_the_image() -> None:
    model, (tokens, token_mask, patches, patch_mask) = a_model(), a_batch()

    output = model(tokens, torch.zeros_like(token_mask), patches, patch_mask)
    others = model(tokens * 7, torch.zeros_like(token_mask), patches, patch_mask)

    assert output.alphas.tolist() == [[0.0, 1.0]] * 3
    assert torch.equal(output.logits["emotions"], others.logits["emotions"])


def test_padding_does_not_change_a_reading() -> None:
    model, (tokens, token_mask, patches, patch_mask) = a_model(), a_batch()
    padded = torch.cat([tokens, torch.full((3, 2, 12), 9.0)], dim=1)
    padded_mask = torch.cat([token_mask, torch.zeros(3, 2).bool()], dim=1)

    short = model(tokens, token_mask, patches, patch_mask).logits["sentiment"]
    long = model(padded, padded_mask, patches, patch_mask).logits["sentiment"]

    assert torch.allclose(short, long, atol=1e-5)


def test_mismatch_is_zero_for_equal_one_for_opposite_and_half_for_unrelated() -> None:
    text = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    image = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])

    assert mismatch_score(text, image).tolist() == [0.0, 1.0, 0.5]


@pytest.mark.parametrize(
    "parts", [{"pair_path": True}, {"pair_path": True, "cross_attention": False}, {}]
)
def test_a_post_without_an_image_is_read_the_same_beside_pairs(parts: dict[str, bool]) -> None:
    model, (tokens, token_mask, patches, patch_mask) = a_model(**parts), a_batch()
    for name, parameter in model.named_parameters():
        if name.startswith("pair_"):
            torch.nn.init.normal_(parameter, std=0.3)
    patch_mask[1] = False

    mixed, alone = model(tokens, token_mask, patches, patch_mask), model(tokens, token_mask)

    for head in HEADS:
        assert torch.allclose(mixed.logits[head][1], alone.logits[head][1], atol=1e-6)
        assert not torch.allclose(mixed.logits[head][0], alone.logits[head][0], atol=1e-3)


def test_the_path_of_pairs_starts_as_the_text_only_one() -> None:
    model, batch = a_model(pair_path=True, cross_attention=False), a_batch()
    shared = a_model(cross_attention=False)
    shared.load_state_dict(
        {name: one for name, one in model.state_dict().items() if not name.startswith("pair_")}
    )

    model.start_pair_path()

    for head in HEADS:
        assert torch.allclose(model(*batch).logits[head], shared(*batch).logits[head], atol=1e-6)


def test_a_model_of_texts_alone_sees_no_image() -> None:
    model, batch = a_model(reads_images=False), a_batch()

    output = model(*batch)

    assert output.alphas.tolist() == [[1.0, 0.0]] * 3
    assert output.image_joint is not None
    assert mismatch_score(output.text_joint, output.image_joint).tolist() == [0.5] * 3


@pytest.mark.parametrize("parts", [{"pair_path": True}, {}, {"reads_images": False}])
def test_without_a_mask_every_post_has_its_image(parts: dict[str, bool]) -> None:
    model, (tokens, token_mask, patches, patch_mask) = a_model(**parts), a_batch()

    masked = model(tokens, token_mask, patches, patch_mask)
    every = model(tokens, token_mask, patches)

    assert all(torch.equal(every.logits[name], masked.logits[name]) for name in HEADS)
    assert torch.equal(every.alphas, masked.alphas)
    assert every.image_joint is not None and masked.image_joint is not None
    assert torch.equal(every.image_joint, masked.image_joint)
