"""Trains a mood model: `python -m models.training.train --config FILE --data DIR --out DIR`."""

import argparse
import random
from pathlib import Path

import numpy as np
import torch

from models.image_encoder import ImageEncoder
from models.training.settings import TrainingSettings, load_settings
from models.training.text_stage import TextModel, build_text_model, train_text


def main() -> None:
    """Runs both stages, then writes the checkpoint to OUT/checkpoint. Start again to go on."""
    arguments = parse_arguments()
    settings = load_settings(arguments.config)
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(arguments.threads)
    seed_everything(settings.seed)
    image_encoder = build_image_encoder(settings, arguments.data)
    model = build_text_model(settings, image_encoder.width, settings.text.max_tokens)
    train_text(model, settings.text, arguments.data, arguments.out, settings.seed)
    if not arguments.text_only:
        finish(model, image_encoder, settings, arguments)


def finish(
    model: TextModel,
    image_encoder: ImageEncoder,
    settings: TrainingSettings,
    arguments: argparse.Namespace,
) -> None:
    """Stage (b), calibration and the checkpoint."""
    from models.training.fusion_stage import train_fusion
    from models.training.ship import ship

    train_fusion(model, image_encoder, settings, arguments.data, arguments.out)
    ship(model, image_encoder, settings, arguments.data, arguments.out / "checkpoint")


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("models/configs/default.yaml"))
    parser.add_argument("--data", type=Path, required=True, help="folder with text/ and pairs/")
    parser.add_argument("--out", type=Path, required=True, help="folder for states and result")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--text-only", action="store_true", help="stop after stage (a)")
    return parser.parse_args()


def seed_everything(seed: int) -> None:
    """Seeds every generator that training draws from."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def build_image_encoder(settings: TrainingSettings, data: Path) -> ImageEncoder:
    """The image encoder with the weights that the configuration names, else timm's own."""
    if settings.image_weights is None:
        return ImageEncoder.from_name(settings.image_encoder, pretrained=True)
    from models.training.mobilenet_weights import load_into

    encoder = ImageEncoder.from_name(
        settings.image_encoder, pretrained=False, options=settings.image_encoder_options
    )
    load_into(encoder, data / settings.image_weights)
    return encoder


if __name__ == "__main__":
    main()
