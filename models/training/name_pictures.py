"""Where an image encoder's own classifier comes from, and which of its words are told."""

from pathlib import Path
from typing import Any, Final, cast

import torch
from torch import Tensor, nn

from models.explanation.annotator import Annotator
from models.image_encoder import ImageEncoder
from models.training.settings import TrainingSettings

# About people and what they wear nothing is told: on a picture of somebody such a word is a guess
# about a person, and the scenes are what an alert is about.
_UNTOLD: Final = Path(__file__).with_name("untold_words.txt")
_CLASSES: Final = 1000


def annotator_of(settings: TrainingSettings, encoder: ImageEncoder, data: Path) -> Annotator | None:
    """The annotator of an encoder as it was pretrained.

    None where it has none: for models of texts alone, random weights, weights that training
    changes, and models that do not classify by one linear layer over the mean of their features
    into ImageNet's 1,000 classes.
    """
    trained = [part for part in (settings.align, settings.fusion) if part is not None]
    if not trained or any(part.train_image_from is not None for part in trained):
        return None
    if settings.start_from is not None:
        return Annotator.load(Path(settings.start_from))
    if settings.image_weights is not None:
        from models.training.mobilenet_weights import classifier

        weight, bias = map(torch.from_numpy, classifier(data / settings.image_weights))
        return Annotator(["", *_words()], weight, bias)
    if settings.image_encoder is None or not settings.image_pretrained:
        return None
    return of_timm(settings.image_encoder, settings.image_encoder_options, encoder)


def of_timm(name: str, options: dict[str, Any], encoder: ImageEncoder) -> Annotator | None:
    """The classifier of a timm model, if it reads the encoder's features as `Annotator` does."""
    import timm

    whole = timm.create_model(name, pretrained=True, **options).eval()
    layer = cast(Any, whole).get_classifier()
    if not isinstance(layer, nn.Linear) or layer.out_features != _CLASSES:
        return None
    found = Annotator(_words(), layer.weight.detach(), _bias(layer))
    pixels = torch.randint(0, 256, (1, 224, 224, 3), dtype=torch.uint8)
    scaled = (pixels.permute(0, 3, 1, 2).float() / 255 - encoder.mean) / encoder.std
    with torch.no_grad():
        features = encoder.eval()(pixels)
        if features.shape[2] != layer.in_features:
            return None
        fits = torch.allclose(found.logits(features), whole(scaled), rtol=1e-3, atol=1e-3)
    return found if fits else None


def _bias(layer: nn.Linear) -> Tensor:
    none = torch.zeros(layer.out_features)
    return none if layer.bias is None else layer.bias.detach()


def _words() -> list[str]:
    """The first name of each class that is told, else nothing."""
    from timm.data.imagenet_info import ImageNetInfo

    untold = set(_UNTOLD.read_text("utf-8").splitlines())
    info = ImageNetInfo()
    names = [info.index_to_description(index).split(",")[0] for index in range(_CLASSES)]
    return ["" if name in untold else name for name in names]
