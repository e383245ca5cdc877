"""Image encoder: any timm model that gives a grid of patch features."""

from typing import Any, Final, cast

import torch
from torch import Tensor, nn

_IMAGE_SIZE: Final = 224


class ImageEncoder(nn.Module):
    """Patch features of a timm model.

    In: pixels uint8, (batch, 224, 224, 3). Out: features, (batch, patches, width); for
    `mobilenetv2_100` 7 x 7 = 49 patches of width 1280. It looks at scenes, not at faces.
    """

    def __init__(self, backbone: nn.Module, config: dict[str, Any]) -> None:
        super().__init__()
        self.backbone = backbone
        self._config = config
        self.width: int = cast(Any, backbone).num_features
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", _per_channel(config["mean"]), persistent=False)
        self.register_buffer("std", _per_channel(config["std"]), persistent=False)

    @classmethod
    def from_name(
        cls, name: str, pretrained: bool = True, options: dict[str, Any] | None = None
    ) -> "ImageEncoder":
        """Builds a timm model by name; `pretrained` fetches timm's weights.

        `hf-hub:OWNER/NAME` and `local-dir:FOLDER` (timm's config.json beside the weights) work too.
        """
        config = {"name": name, "options": options or {}, "mean": None, "std": None}
        encoder = cls._build(config, pretrained)
        if ":" in name:  # elsewhere there is no such folder or hub, but the architecture is known
            expected = cast(Any, encoder.backbone).pretrained_cfg
            encoder._config["name"] = expected["architecture"]
        return encoder

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ImageEncoder":
        """Builds the architecture alone, from `config_dict()` of another encoder."""
        return cls._build(dict(config), pretrained=False)

    @classmethod
    def _build(cls, config: dict[str, Any], pretrained: bool) -> "ImageEncoder":
        import timm

        backbone = timm.create_model(
            config["name"], pretrained=pretrained, num_classes=0, **config["options"]
        )
        expected = cast(Any, backbone).pretrained_cfg
        config["mean"] = list(config["mean"] or expected["mean"])
        config["std"] = list(config["std"] or expected["std"])
        return cls(backbone, config)

    def config_dict(self) -> dict[str, Any]:
        """The architecture and the scaling of pixels as plain JSON values."""
        return dict(self._config)

    def scaling(self) -> tuple[list[float], list[float]]:
        """What `set_scaling` sets."""
        return self._config["mean"], self._config["std"]

    def set_scaling(self, mean: list[float], std: list[float]) -> None:
        """Sets what pixels in [0, 1] are scaled by, for weights trained differently from timm's."""
        self._config |= {"mean": mean, "std": std}
        self.mean, self.std = _per_channel(mean), _per_channel(std)

    def forward(self, pixels: Tensor) -> Tensor:
        scaled = (pixels.permute(0, 3, 1, 2).float() / 255 - self.mean) / self.std
        features = cast(Any, self.backbone).forward_features(scaled)
        if features.ndim == 4:  # (batch, width, rows, columns)
            return cast(Tensor, features.permute(0, 2, 3, 1).flatten(1, 2))
        return cast(Tensor, features)  # a transformer's (batch, patches, width)


def _per_channel(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).reshape(1, 3, 1, 1)
