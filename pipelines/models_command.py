"""`moodwire models`: which checkpoints there are, and which one running pipelines should use."""

from __future__ import annotations

import argparse
import json
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from models.checkpoint import CONFIG_FILE, CheckpointError
from models.drift import LEAST_ROWS, read_reference, reference_of, write_reference
from models.following import check_scores
from models.model_pointer import named_folder, named_folders, point_at
from models.scorer import Scorer
from pipelines.build import checkpoint_path
from pipelines.score import LINES_PER_BATCH, prepare_lines, read_posts
from pipelines.settings import Settings, load_settings
from schemas.records import Post, Reading
from transforms.ingest import find_files

OK = 0


class Listed(NamedTuple):
    """One checkpoint folder as a person chooses among them."""

    folder: Path
    version: str
    megabytes: float
    has_reference: bool


def manage_models(args: argparse.Namespace, console: Console) -> int:
    """List checkpoints, point at one, or write the reference of one.

    Raises:
        CheckpointError: a folder cannot be used; the pointer stays as it was.
    """
    return _ACTIONS[args.action](args, console)


def _list(args: argparse.Namespace, console: Console) -> int:
    path = _pointer(args)
    in_use = named_folders(path) if path.exists() else ()
    table = Table("", "version", "MB", "reference", "folder", title=str(path))
    for listed in find_checkpoints(path):
        used = listed.folder in in_use[:1]
        table.add_row(
            "in use" if used else "earlier" if listed.folder in in_use else "",
            listed.version,
            f"{listed.megabytes:.1f}",
            "yes" if listed.has_reference else "no",
            str(listed.folder),
        )
    console.print(table)
    return OK


def _use(args: argparse.Namespace, console: Console) -> int:
    pointer, folder = _pointer(args), Path(_folder_of(args)).resolve()
    if pointer.is_dir():
        raise CheckpointError(
            f"{pointer} is a folder, which always names itself; let model.checkpoint be a file "
            "such as models/current, or give --pointer"
        )
    scorer = Scorer.load(folder)
    check_scores(scorer)
    watched = _is_watched(folder, scorer.model)
    _refuse_same_name(pointer, folder, scorer.model)
    point_at(pointer, folder)
    console.print(f"{pointer} names {folder} ({scorer.model})", highlight=False, soft_wrap=True)
    if not watched:
        console.print(
            f"It has no reference of its own, so drift is not measured: `moodwire models "
            f"reference {folder} --posts FILE` writes one",
            highlight=False,
            soft_wrap=True,
        )
    return OK


def _reference(args: argparse.Namespace, console: Console) -> int:
    folder = Path(_folder_of(args))
    scorer = Scorer.load(folder)
    readings: list[Reading] = []
    posts = (item for item in prepare_lines(find_files(args.posts)) if isinstance(item, Post))
    with console.status("reading") as status:
        while batch := list(islice(posts, LINES_PER_BATCH)):
            readings += read_posts(scorer, batch)
            status.update(f"{len(readings):,} posts read")
    if len(readings) < LEAST_ROWS:
        raise CheckpointError(
            f"--posts {args.posts}: holds {len(readings)} posts that can be read; a reference "
            f"needs {LEAST_ROWS} and is better with thousands"
        )
    file = write_reference(folder, reference_of(readings))
    console.print(f"{file}: {len(readings):,} posts", highlight=False, soft_wrap=True)
    return OK


_ACTIONS = {"list": _list, "use": _use, "reference": _reference}


def find_checkpoints(path: Path) -> list[Listed]:
    """The checkpoints beside `path`, and those that it names."""
    beside = [file.parent.resolve() for file in path.parent.glob(f"*/{CONFIG_FILE}")]
    named = named_folders(path) if path.exists() else ()
    found = [_listed(folder) for folder in sorted({*beside, *named})]
    return [listed for listed in found if listed is not None]


def _listed(folder: Path) -> Listed | None:
    try:
        config = json.loads((folder / CONFIG_FILE).read_text("utf-8"))
        version = str(config["version"])
        has_reference = _is_watched(folder, version)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # some other folder with a config.json
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Listed(folder, version, size / 1e6, has_reference)


def _is_watched(folder: Path, version: str) -> bool:
    """Whether the folder holds a reference of its model, rather than none or that of another."""
    reference = read_reference(folder)
    return reference is not None and reference.model == version


def _refuse_same_name(pointer: Path, folder: Path, version: str) -> None:
    """Two folders of one version could not be told apart in the readings."""
    if not pointer.is_file():
        return
    for earlier in named_folders(pointer):
        listed = _listed(earlier)
        if listed is not None and listed.version == version and earlier != folder:
            raise CheckpointError(
                f"{folder} calls itself {version!r}, as {earlier} does; readings could not be told "
                f"apart. Give `version` in its {CONFIG_FILE} another name"
            )


def _pointer(args: argparse.Namespace) -> Path:
    return Path(args.pointer or checkpoint_path(load_settings(args.settings)))


def _folder_of(args: argparse.Namespace) -> str:
    if args.folder is None:
        raise CheckpointError(f"models {args.action}: name a checkpoint folder")
    return str(args.folder)


def remarks(settings: Settings) -> tuple[str, ...]:
    """What a person should know of the models of a run before it starts.

    Raises:
        CheckpointError: the checkpoint's reference is damaged.
    """
    try:
        folder = named_folder(checkpoint_path(settings))
    except CheckpointError:  # loading it says so, where the workers are
        return ()
    read_reference(folder)
    listed, found = _listed(folder), []
    if listed is not None and not listed.has_reference:
        found.append(f"drift is not measured: {folder} has no reference.json of its model")
    if settings.model.shadow:
        share = f"{settings.model.shadow_share:.0%}"
        found.append(f"shadow: {settings.model.shadow} reads {share} of the posts too")
    return tuple(found)
