"""Which checkpoint folder is in use: a folder itself, or a pointer file that names one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from models.checkpoint import CheckpointError

KEPT: Final = 5  # folders that a pointer file remembers, the one in use included


def named_folders(path: str | Path) -> tuple[Path, ...]:
    """The folder that `path` is, or those that it names: the one in use first, then earlier ones.

    A pointer file holds one folder a line, absolute or relative to the file. A link to a folder is
    followed, so that a link may be moved to another folder as well.

    Raises:
        CheckpointError: there is no such path, or the file names nothing.
    """
    path = Path(path)
    if path.is_dir():
        return (path.resolve(),)
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _error(path, f"cannot be read ({error})") from error
    folders = [(path.parent / line.strip()).resolve() for line in lines if line.strip()]
    if not folders:
        raise _error(path, "names no folder")
    return tuple(dict.fromkeys(folders))


def named_folder(path: str | Path) -> Path:
    """The folder in use.

    Raises:
        CheckpointError: there is no such path, or the file names nothing.
    """
    return named_folders(path)[0]


def point_at(pointer: Path, folder: Path) -> None:
    """Let `pointer` name `folder`, in one step: readers see the old file or the new one.

    Folders below the pointer's are named relative to it, so that all may be moved or mounted
    elsewhere together.
    """
    earlier = named_folders(pointer) if pointer.is_file() else ()
    home = pointer.parent.resolve()
    folders = dict.fromkeys((folder.resolve(), *earlier))
    lines = [_shortest(named, home) for named in list(folders)[:KEPT]]
    pointer.parent.mkdir(parents=True, exist_ok=True)
    unfinished = pointer.with_name(f".{pointer.name}.{os.getpid()}.part")
    with unfinished.open("w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, pointer)


def _shortest(folder: Path, home: Path) -> str:
    return str(folder.relative_to(home) if folder.is_relative_to(home) else folder)


def _error(path: Path, problem: str) -> CheckpointError:
    return CheckpointError(
        f"{path} {problem}; name a checkpoint folder, or a file that names one "
        "(`moodwire models use FOLDER --pointer FILE` writes it)"
    )
