import torch

from models.explanation.recording import recorded_attention
from tests.models.tiny_model import a_checkpoint

MOOD = a_checkpoint().mood.eval()
TOKENS, TOKEN_MASK = torch.randn(1, 5, 32), torch.ones(1, 5, dtype=torch.bool)
PATCHES = torch.randn(1, 4, MOOD.config.image_width)
PATCH_MASK = torch.ones(1, 4, dtype=torch.bool)


@torch.no_grad()
def test_every_attention_that_ran_is_recorded() -> None:
    with recorded_attention(MOOD) as seen:
        MOOD(TOKENS, TOKEN_MASK, PATCHES, PATCH_MASK)

    assert seen["text_from_image"].shape == (1, 2, 5, 4)
    assert seen["image_from_text"].shape == (1, 2, 4, 5)
    assert seen["text.pooling"].shape == (1, 5)
    assert seen["image.pooling"].sum().item() == torch.tensor(1.0)


@torch.no_grad()
def test_text_alone_records_nothing_of_images() -> None:
    with recorded_attention(MOOD) as seen:
        MOOD(TOKENS, TOKEN_MASK)

    assert set(seen) == {"text.within", "text.pooling"}


@torch.no_grad()
def test_recording_changes_no_answer_and_ends_with_its_context() -> None:
    before = MOOD(TOKENS, TOKEN_MASK, PATCHES, PATCH_MASK)
    with recorded_attention(MOOD) as seen:
        meanwhile = MOOD(TOKENS, TOKEN_MASK, PATCHES, PATCH_MASK)
    kept = dict(seen)
    MOOD(torch.randn(1, 5, 32), TOKEN_MASK, PATCHES, PATCH_MASK)

    assert torch.equal(before.logits["sentiment"], meanwhile.logits["sentiment"])
    assert all(seen[name] is weights for name, weights in kept.items())
