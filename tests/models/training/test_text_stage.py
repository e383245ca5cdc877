import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.labels import EMOTIONS
from models.text_encoder import TextEncoder
from models.training.adapters import add_adapters, merge_adapters
from models.training.data import Example, pad
from models.training.settings import Adapters, TextStageSettings, TrainingSettingsError
from models.training.text_stage import (
    layer_rates,
    prepare_encoder,
    start_emotions_at_base_rate,
)
from tests.models.tiny_model import a_checkpoint
from tests.models.training.small_data import small_text_model


def an_encoder(folder: Path, layers: int = 3) -> TextEncoder:
    return TextEncoder.from_name(str(small_text_model(folder, layers)))


def test_merged_adapters_say_what_they_said_beside_the_weights(tmp_path: Path) -> None:
    encoder = an_encoder(tmp_path)
    names = set(encoder.state_dict())
    ids, mask = pad([(2, 5, 6, 3), (2, 7, 3)])
    add_adapters(encoder, Adapters(rank=4))
    for name, parameter in encoder.named_parameters():
        assert parameter.requires_grad == ("lora" in name)
        if "lora" in name:
            torch.nn.init.normal_(parameter, std=0.2)
    with torch.inference_mode():
        beside = encoder.eval()(ids, mask)

        merge_adapters(encoder)

        assert torch.allclose(encoder(ids, mask), beside, atol=1e-4)
    assert set(encoder.state_dict()) == names


def test_adapters_on_layers_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        TrainingSettingsError, match=r"text\.adapters\.targets: .*`all-linear` fits"
    ):
        add_adapters(an_encoder(tmp_path), Adapters(targets=["nowhere"]))


def test_each_layer_below_learns_slower(tmp_path: Path) -> None:
    encoder = an_encoder(tmp_path)
    settings = TextStageSettings(encoder_learning_rate=1.0, layer_decay=0.5)

    groups = layer_rates(encoder, settings)

    assert [rate for _, rate in groups] == [0.25, 0.5, 1.0, 0.125]
    assert groups[-1][0] is encoder  # whatever is in no layer


def test_word_vectors_are_frozen_unless_they_are_wanted(tmp_path: Path) -> None:
    frozen, trained = an_encoder(tmp_path / "a"), an_encoder(tmp_path / "b")

    prepare_encoder(frozen, TextStageSettings())
    prepare_encoder(trained, TextStageSettings(train_word_vectors=True))

    assert not frozen.backbone.get_input_embeddings().weight.requires_grad  # type: ignore[operator]
    assert all(parameter.requires_grad for parameter in trained.parameters())


def test_emotions_start_as_frequent_as_they_are() -> None:
    mood = a_checkpoint().mood
    joy = EMOTIONS.index("joy")
    rows = [Example("emotions", "", (joy,) if row < 3 else ()) for row in range(12)]
    random.Random(0).shuffle(rows)

    start_emotions_at_base_rate(mood, [replace(row) for row in rows])

    assert mood.heads["emotions"].bias[joy].sigmoid().item() == pytest.approx(0.25)  # type: ignore[index]
