"""Low-rank adapters (Hu et al. 2021, LoRA) on a text encoder, through peft."""

from typing import Any, cast

from models.text_encoder import TextEncoder
from models.training.settings import Adapters, TrainingSettingsError


def add_adapters(encoder: TextEncoder, settings: Adapters) -> None:
    """Freezes the encoder and puts trained adapters beside its linear layers, in place.

    Raises:
        TrainingSettingsError: `targets` names no layer of this encoder.
    """
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=settings.targets,
    )
    try:
        encoder.backbone = get_peft_model(cast(Any, encoder.backbone), config)
    except ValueError as error:
        raise TrainingSettingsError(
            f"text.adapters.targets: {error}; `all-linear` fits any encoder"
        ) from error


def merge_adapters(encoder: TextEncoder) -> None:
    """Adds the adapters to the weights beside them, so that serving knows nothing of them."""
    merge = getattr(encoder.backbone, "merge_and_unload", None)
    if merge is not None:
        encoder.backbone = merge()
