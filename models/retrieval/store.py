"""An index as a folder: loaded whole or not at all, whatever was killed while it was written."""

import os
from pathlib import Path
from typing import Final

import msgspec

from models.retrieval.errors import SearchError
from models.retrieval.index import MODALITIES, Entry, SlidingIndex

FORMAT: Final = 1
MANIFEST_FILE: Final = "index.json"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What an index is made of.

    Attributes:
        model: version of the checkpoint whose joint space this is.
        source: content hash of what was indexed.
        width: of the vectors.
        capacity: see `SlidingIndex`.
        horizon_seconds: see `SlidingIndex`.
        forgotten: keys of deleted posts, which an index of the same posts leaves out again.
        generation: names the files; the manifest is replaced last, so it names whole ones.
        format: of the folder.
    """

    model: str
    source: str
    width: int
    capacity: int
    horizon_seconds: float | None = None
    forgotten: tuple[int, ...] = ()
    generation: int = 0
    format: int = FORMAT


def save_index(index: SlidingIndex, manifest: Manifest, folder: Path) -> Manifest:
    """Writes the index; of deleted posts nothing but the hash of their identity stays on disk."""
    folder.mkdir(parents=True, exist_ok=True)
    index.compact()
    manifest = msgspec.structs.replace(manifest, generation=_next_generation(folder))
    for modality in MODALITIES:
        index.indexes[modality].save(folder / _file(manifest, f"{modality}.usearch"))
    lines = b"".join(msgspec.json.encode(entry) + b"\n" for entry in index)
    (folder / _file(manifest, "posts.jsonl")).write_bytes(lines)
    unfinished = folder / f".{MANIFEST_FILE}.part"
    unfinished.write_bytes(msgspec.json.encode(manifest))
    os.replace(unfinished, folder / MANIFEST_FILE)
    _drop_other_generations(folder, manifest)
    return manifest


def read_manifest(folder: Path) -> Manifest | None:
    """What the index in the folder is made of; None where there is no index.

    Raises:
        SearchError: there is one, of another version or damaged.
    """
    file = folder / MANIFEST_FILE
    if not file.is_file():
        return None
    try:
        manifest = msgspec.json.decode(file.read_bytes(), type=Manifest)
    except msgspec.DecodeError as error:
        raise _unreadable(file, str(error)) from error
    if manifest.format != FORMAT:
        raise _unreadable(file, f"format {manifest.format}, this version reads {FORMAT}")
    return manifest


def load_index(folder: Path) -> tuple[SlidingIndex, Manifest]:
    """The index in a folder that `save_index` wrote.

    Raises:
        SearchError: there is none, or it is damaged.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        raise _unreadable(folder / MANIFEST_FILE, "missing")
    index = SlidingIndex(manifest.width, manifest.capacity, manifest.horizon_seconds)
    try:
        lines = (folder / _file(manifest, "posts.jsonl")).read_bytes().splitlines()
        entries = [msgspec.json.decode(line, type=Entry) for line in lines]
        for modality in MODALITIES:
            index.indexes[modality].load(folder / _file(manifest, f"{modality}.usearch"))
    except (OSError, RuntimeError, msgspec.DecodeError) as error:
        raise _unreadable(folder, str(error)) from error
    index.restore(entries, index.indexes)
    return index, manifest


def _file(manifest: Manifest, name: str) -> str:
    return f"{manifest.generation}-{name}"


def _next_generation(folder: Path) -> int:
    numbers = [file.name.partition("-")[0] for file in folder.glob("[0-9]*-*")]
    return 1 + max((int(number) for number in numbers if number.isdecimal()), default=0)


def _drop_other_generations(folder: Path, manifest: Manifest) -> None:
    names = ("posts.jsonl", *(f"{modality}.usearch" for modality in MODALITIES))
    kept = {_file(manifest, name) for name in names}
    for name in names:
        for file in folder.glob(f"[0-9]*-{name}"):
            if file.name not in kept:
                file.unlink()


def _unreadable(file: Path, problem: str) -> SearchError:
    return SearchError(f"{file}: no index that can be used ({problem}); delete the folder")
