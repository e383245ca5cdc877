"""Cards of models: Markdown files whose first heading names the version that they speak of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from models.checkpoint import DEFAULT_CHECKPOINT, CheckpointError
from models.model_pointer import named_folders

CARD_FILE: Final = "card.md"  # in a checkpoint's folder
SHIPPED_CARDS: Final = Path(__file__).parent / "cards"
MAX_CARD_BYTES: Final = 256 * 1024  # twenty times the shipped one; what is longer is no card


def read_cards(checkpoint: str | Path | None = None) -> list[str]:
    """The cards of the folders that `checkpoint` is or names, then those that ship."""
    return [
        file.read_text("utf-8", errors="replace")
        for file in (*_own(checkpoint or DEFAULT_CHECKPOINT), *sorted(SHIPPED_CARDS.glob("*.md")))
        if file.is_file() and file.stat().st_size <= MAX_CARD_BYTES
    ]


def _own(checkpoint: str | Path) -> Iterator[Path]:
    try:
        folders = named_folders(checkpoint)
    except CheckpointError:  # who reads with it says so
        return
    yield from (folder / CARD_FILE for folder in folders)
