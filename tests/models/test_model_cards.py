from __future__ import annotations

from pathlib import Path

from models.checkpoint import DEFAULT_CHECKPOINT, describe_checkpoint
from models.model_cards import CARD_FILE, MAX_CARD_BYTES, read_cards
from models.model_pointer import point_at


def a_folder(place: Path, card: str | None = None) -> Path:
    place.mkdir()
    if card is not None:
        (place / CARD_FILE).write_text(card)
    return place


def first_lines(cards: list[str]) -> list[str]:
    return [card.splitlines()[0] for card in cards]


def shipped() -> str:
    return f"# {describe_checkpoint(DEFAULT_CHECKPOINT).version}"


def test_the_shipped_card_speaks_of_the_shipped_checkpoint() -> None:
    assert first_lines(read_cards()) == [shipped()]


def test_a_folders_own_card_comes_before_the_shipped_one(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "mine", "# mine-1\n")

    assert first_lines(read_cards(folder)) == ["# mine-1", shipped()]


def test_every_folder_of_a_pointer_is_asked_the_newest_first(tmp_path: Path) -> None:
    pointer = tmp_path / "current"
    for name in ("old", "bare", "new"):
        point_at(pointer, a_folder(tmp_path / name, None if name == "bare" else f"# {name}"))

    assert first_lines(read_cards(pointer)) == ["# new", "# old", shipped()]


def test_a_folder_that_is_gone_and_a_card_that_is_none_leave_the_shipped_one(
    tmp_path: Path,
) -> None:
    endless = a_folder(tmp_path / "endless", "#" * (MAX_CARD_BYTES + 1))

    assert first_lines(read_cards(tmp_path / "gone")) == [shipped()]
    assert first_lines(read_cards(endless)) == [shipped()]
