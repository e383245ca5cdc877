"""`moodwire score`: readings for the posts of a file, in order, without a pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

import msgspec
from rich.console import Console
from rich.progress import Progress

from models.checkpoint import DEFAULT_CHECKPOINT
from models.model_pointer import named_folder
from models.scorer import Scorer
from pipelines.whole_files import written
from schemas.records import MediaFault, Post, Reading, Rejection, Weights, encode
from transforms.attach import attach_media
from transforms.channels.registry import event_time_of
from transforms.ingest import NoInputError, deliver, read_lines
from transforms.prepare import Preparer
from transforms.readings import make_reading, score_input
from transforms.refusals import Refused
from transforms.rejections import build_rejection

LINES_PER_BATCH = 512
UNDATED = datetime(2000, 1, 1, tzinfo=UTC)


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the output: what other tools read of a reading."""

    post_id: str
    sentiment: dict[str, float]
    emotions: dict[str, float]
    irony: float
    offence: float
    valence: float
    confidence: float
    abstained: bool
    weights: Weights
    mismatch: float | None
    lang: str
    model: str
    media_faults: tuple[MediaFault, ...] = ()


@dataclass(frozen=True)
class Counts:
    """How many lines were answered, and how many refused."""

    answered: int
    rejected: int


def score_file(
    source: Path, output: Path, rejected: Path | None, checkpoint: str | None, console: Console
) -> Counts:
    """Score every line of `source`; readings go to `output` in order, refusals to `rejected`.

    Raises:
        NoInputError: `source` is not a file, or would be written over.
    """
    require_lines(source)
    _require_apart({"--input": source, "--output": output, "--rejected": rejected})
    scorer = Scorer.load(named_folder(checkpoint or DEFAULT_CHECKPOINT))
    answered = refused = 0
    with ExitStack() as stack:
        readings = stack.enter_context(written(output))
        letters = stack.enter_context(written(rejected)) if rejected else None
        progress = stack.enter_context(Progress(console=console, transient=True))
        task = progress.add_task("scoring", total=None)
        items = prepare_lines((str(source),))
        while batch := list(islice(items, LINES_PER_BATCH)):
            posts = [item for item in batch if isinstance(item, Post)]
            write_lines(readings, [to_score(reading) for reading in read_posts(scorer, posts)])
            if letters:
                write_lines(letters, [item for item in batch if isinstance(item, Rejection)])
            answered += len(posts)
            refused += len(batch) - len(posts)
            progress.update(task, completed=answered + refused)
    console.print(f"{answered:,} readings, {refused:,} lines refused", highlight=False)
    return Counts(answered, refused)


def _require_apart(files: dict[str, Path | None]) -> None:
    """Raise NoInputError if two names are one file, or one to be written is a folder.

    What is neither, such as /dev/null, may be named as often as one likes.
    """
    flags: dict[Path, str] = {}
    for flag, file in files.items():
        if file is not None and file.is_dir():
            raise NoInputError(f"{flag} {file}: is a folder; name a file")
        if file is None or (file.exists() and not file.is_file()):
            continue
        if (other := flags.setdefault(file.resolve(), flag)) != flag:
            raise NoInputError(f"{flag} {file}: is the file of {other} too; name another one")


def require_lines(source: Path) -> None:
    """Raise NoInputError unless `source` is a file."""
    if not source.is_file():
        raise NoInputError(f"--input {source}: no such file. Give JSON lines, one post a line")


def prepare_lines(files: tuple[str, ...]) -> Iterator[Post | Rejection]:
    """Every line as the model will see it, or why it will not."""
    preparer = Preparer(default_time=UNDATED)
    for line in read_lines(files):
        delivery = deliver(line, None, event_time_of)
        try:
            post = preparer.prepare(delivery)
        except Refused as refused:
            yield build_rejection(delivery, refused)
            continue
        media, faults = attach_media(post.images, delivery.root)
        yield msgspec.structs.replace(post, media=media, media_faults=faults)


def read_posts(scorer: Scorer, posts: list[Post]) -> list[Reading]:
    """The reading of each post, in order."""
    scores = scorer.score([score_input(post) for post in posts])
    return [make_reading(post, found) for post, found in zip(posts, scores, strict=True)]


def to_score(reading: Reading) -> Score:
    """The part of a reading that `moodwire score` promises."""
    return Score(**{name: getattr(reading, name) for name in Score.__struct_fields__})


def write_lines(stream: IO[bytes], records: Iterable[Any]) -> None:
    """Records as JSON lines."""
    stream.writelines(encode(record) + b"\n" for record in records)
