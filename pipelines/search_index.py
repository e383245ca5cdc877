"""The index that `moodwire search` looks in: built once from a file, then kept in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import cast

import msgspec
from rich.console import Console
from rich.progress import Progress

from models.retrieval.index import Entry, SlidingIndex, Vector
from models.retrieval.store import Manifest, load_index, read_manifest, save_index
from models.scorer import ScoreInput, Scorer
from models.text_preparation import prepare_text
from pipelines.run_folder import MEDIA_FOLDER
from pipelines.score import prepare_lines
from schemas.records import Post, Reading, Rejection, UnsupportedVersionError, decode
from transforms.ingest import NoInputError, read_lines
from transforms.readings import score_input

CAPACITY = 1_000_000
POSTS_PER_BATCH = 256

Item = tuple[Entry, ScoreInput]


@dataclass(frozen=True)
class Source:
    """What is to be searched: a file of posts, or the readings of a run."""

    file: Path
    readings: bool = False

    def fingerprint(self) -> str:
        """A hash of the file's content.

        Raises:
            NoInputError: there is no such file.
        """
        if not self.file.is_file():
            flag = "--readings" if self.readings else "--input"
            raise NoInputError(f"{flag} {self.file}: no such file. Give one post a line")
        digest = blake2b(f"{self.readings}".encode(), digest_size=16)
        with self.file.open("rb") as stream:
            while part := stream.read(1 << 20):
                digest.update(part)
        return digest.hexdigest()

    def items(self) -> Iterator[Item | Rejection]:
        """Every post as the index keeps it and as the model sees it, or why it cannot be read."""
        return _readings(self.file) if self.readings else _posts(self.file)


@dataclass
class Opened:
    """An index with its folder; `save` writes what was deleted through."""

    index: SlidingIndex
    manifest: Manifest
    folder: Path

    def forget(self, entry: Entry) -> None:
        """Delete a post, also from any later index of the same file in this folder."""
        self.index.forget(entry.key)
        forgotten = tuple(sorted({*self.manifest.forgotten, entry.key}))
        manifest = msgspec.structs.replace(self.manifest, forgotten=forgotten)
        self.manifest = save_index(self.index, manifest, self.folder)


def open_index(source: Source | None, folder: Path, scorer: Scorer, console: Console) -> Opened:
    """The index in `folder`, built first where it is not that of this source and model.

    Without a source the folder's own index is taken as it is.

    Raises:
        NoInputError: the source is not a file, or there is neither a source nor an index.
        SearchError: what is in the folder cannot be used.
    """
    known = read_manifest(folder)
    if source is None and known is None:
        raise NoInputError(f"--index {folder}: no index there yet. Name posts with --input FILE")
    fingerprint = source.fingerprint() if source else known.source if known else ""
    if known and known.model == scorer.model and known.source == fingerprint:
        return Opened(*load_index(folder), folder)
    if source is None:
        raise NoInputError(
            f"--index {folder}: made by model {known.model if known else ''}, this is "
            f"{scorer.model}. Name the posts with --input FILE to build it anew"
        )
    forgotten = known.forgotten if known else ()
    index = _build(source, scorer, set(forgotten), console)
    manifest = Manifest(
        model=scorer.model,
        source=fingerprint,
        width=index.width,
        capacity=index.capacity,
        forgotten=forgotten,
    )
    return Opened(index, save_index(index, manifest, folder), folder)


def _build(source: Source, scorer: Scorer, forgotten: set[int], console: Console) -> SlidingIndex:
    [probe] = scorer.embed([ScoreInput("a")])
    index, items = SlidingIndex(len(cast(Vector, probe.text)), CAPACITY), source.items()
    refused = 0
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("indexing", total=None)
        while batch := list(islice(items, POSTS_PER_BATCH)):
            posts = [item for item in batch if not isinstance(item, Rejection)]
            refused += len(batch) - len(posts)
            kept = [item for item in posts if item[0].key not in forgotten]
            placed = scorer.embed([seen for _, seen in kept])
            for (entry, _), embedding in zip(kept, placed, strict=True):
                index.add(entry, embedding.text, embedding.image)
            progress.update(task, completed=len(index))
    console.print(f"{len(index):,} posts indexed, {refused:,} lines refused", highlight=False)
    return index


def _posts(file: Path) -> Iterator[Item | Rejection]:
    for post in prepare_lines((str(file),)):
        if isinstance(post, Rejection):
            yield post
        else:
            yield _entry(post, post.media[0].sha256 if post.media else None), score_input(post)


def _readings(file: Path) -> Iterator[Item]:
    """Readings with the renditions that their run left beside them."""
    for line in read_lines((str(file),)):
        try:
            reading = decode(line.value, Reading)
        except (msgspec.DecodeError, UnsupportedVersionError) as error:
            raise NoInputError(
                f"--readings {file}: line {line.number + 1} is no reading ({error}). Name the "
                "readings.jsonl of a run folder"
            ) from error
        files = [file.parent / MEDIA_FOLDER / f"{name}.jpg" for name in reading.thumbnails]
        images = tuple(image.read_bytes() for image in files if image.is_file())
        first = reading.thumbnails[0] if reading.thumbnails else None
        yield _entry(reading, first), ScoreInput(prepare_text(reading.text), images)


def _entry(post: Post | Reading, thumbnail: str | None) -> Entry:
    return Entry(
        channel=post.channel,
        post_id=post.post_id,
        created_at=post.created_at.timestamp(),
        author=post.author,
        text=post.text,
        thumbnail=thumbnail,
    )
