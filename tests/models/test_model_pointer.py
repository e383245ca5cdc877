"""Facts about pointer files: one step, relative where it can be, and earlier folders remembered."""

from pathlib import Path

import pytest

from models.checkpoint import CheckpointError
from models.model_pointer import KEPT, named_folder, named_folders, point_at


def folders(home: Path, *names: str) -> list[Path]:
    made = [home / name for name in names]
    for folder in made:
        folder.mkdir(parents=True)
    return made


def test_a_folder_names_itself_and_a_link_what_it_leads_to(tmp_path: Path) -> None:
    (first,) = folders(tmp_path, "first")
    link = tmp_path / "current"
    link.symlink_to(first)

    assert named_folder(first) == named_folder(link) == first


def test_the_newest_folder_is_named_first_and_earlier_ones_are_kept(tmp_path: Path) -> None:
    made = folders(tmp_path, *(f"model-{n}" for n in range(KEPT + 2)))
    pointer = tmp_path / "current"
    for folder in made:
        point_at(pointer, folder)

    assert named_folders(pointer) == tuple(reversed(made[-KEPT:]))


def test_pointing_back_names_a_folder_once(tmp_path: Path) -> None:
    first, second = folders(tmp_path, "first", "second")
    pointer = tmp_path / "current"
    for folder in (first, second, first):
        point_at(pointer, folder)

    assert named_folders(pointer) == (first, second)


def test_folders_beside_the_pointer_move_with_it(tmp_path: Path) -> None:
    (first,) = folders(tmp_path / "here", "first")
    point_at(tmp_path / "here" / "current", first)

    moved = (tmp_path / "here").rename(tmp_path / "there")

    assert named_folder(moved / "current") == moved / "first"


def test_nothing_but_the_pointer_is_left_behind(tmp_path: Path) -> None:
    (first,) = folders(tmp_path, "first")
    point_at(tmp_path / "current", first)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["current", "first"]


@pytest.mark.parametrize("content", [None, b"", b"  \n", b"\xff\xfe"])
def test_a_pointer_that_names_nothing_is_an_error_with_the_remedy(
    content: bytes | None, tmp_path: Path
) -> None:
    pointer = tmp_path / "current"
    if content is not None:
        pointer.write_bytes(content)

    with pytest.raises(CheckpointError, match="moodwire models use"):
        named_folder(pointer)
