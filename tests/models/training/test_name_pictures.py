from pathlib import Path
from typing import Any

import pytest
import timm
import torch

from models.explanation.annotator import ANNOTATOR_FILE, Annotator
from models.image_encoder import ImageEncoder
from models.training.name_pictures import annotator_of, of_timm
from models.training.settings import load_settings
from models.training.train import Order, train
from tests.models.training.small_data import small_data, small_settings, small_text_model


def a_classifier(folder: Path, classes: int = 1000) -> str:
    """The name of a small classifying model in a folder, as timm's hub keeps one."""
    torch.manual_seed(0)
    model = timm.create_model("test_efficientnet", pretrained=False, num_classes=classes)
    timm.models.save_for_hf(model, str(folder), safe_serialization=True)
    return f"local-dir:{folder}"


def test_the_annotator_says_what_the_whole_model_says(tmp_path: Path) -> None:
    name = a_classifier(tmp_path / "encoder")
    encoder = ImageEncoder.from_name(name)

    found = of_timm(name, {}, encoder)

    assert found is not None
    whole = timm.create_model(name, pretrained=True).eval()
    pixels = torch.randint(0, 256, (2, 224, 224, 3), dtype=torch.uint8)
    scaled = (pixels.permute(0, 3, 1, 2).float() / 255 - encoder.mean) / encoder.std
    with torch.no_grad():
        torch.testing.assert_close(found.logits(encoder.eval()(pixels)), whole(scaled))
    assert len(found.words) == 1000
    assert "seashore" in found.words


def test_other_classes_than_imagenets_have_no_words(tmp_path: Path) -> None:
    name = a_classifier(tmp_path / "encoder", classes=10)

    assert of_timm(name, {}, ImageEncoder.from_name(name)) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"image_pretrained": False},
        {"align": {"train_image_from": "blocks.1"}},
        {"fusion": {"train_image_from": "blocks.1"}},
        {"align": None, "fusion": None},
    ],
    ids=str,
)
def test_an_encoder_that_is_not_what_was_pretrained_has_none(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    name = a_classifier(tmp_path / "encoder")
    plain = {"image_encoder": name, "image_pretrained": True}
    settings = load_settings(small_settings(tmp_path, **plain))
    changed = load_settings(small_settings(tmp_path, **{**plain, **changes}))
    encoder = ImageEncoder.from_name(name)

    assert annotator_of(settings, encoder, tmp_path) is not None
    assert annotator_of(changed, encoder, tmp_path) is None


def test_a_trained_checkpoint_has_it_and_so_has_what_starts_from_that(tmp_path: Path) -> None:
    data = small_data(tmp_path / "data", pairs=12)
    small_text_model(tmp_path / "text-model")
    named = {"image_encoder": a_classifier(tmp_path / "encoder"), "image_pretrained": True}

    config = small_settings(tmp_path, **named)
    first = train(Order(config, data, tmp_path / "first"))
    config = small_settings(tmp_path, **named, start_from=str(first))
    second = train(Order(config, data, tmp_path / "second"))

    assert Annotator.load(first) is not None
    assert (first / ANNOTATOR_FILE).read_bytes() == (second / ANNOTATOR_FILE).read_bytes()
