"""Stage: publish. Records to JSON lines, renditions to a media folder."""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import apache_beam as beam
import msgspec
from apache_beam.pvalue import PCollection

from schemas.metrics import SINK_RETRIES
from schemas.records import Media, Post, encode
from transforms.counters import counter

LOG = logging.getLogger(__name__)
_APPEND_LOCK = threading.Lock()
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 30.0


def pauses(jitter: Callable[[], float] = random.random) -> Iterator[float]:
    """Endless waits between attempts: doubling up to 30 s, each with up to half of itself off."""
    pause = FIRST_PAUSE_SECONDS
    while True:
        yield pause * (1 - jitter() / 2)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def until_done(write: Callable[[], None], sink: str) -> None:
    """Call `write` until it succeeds: an outage holds the bundle back and loses nothing."""
    for pause in pauses():
        try:
            return write()
        except OSError as error:
            counter(SINK_RETRIES, sink=sink).inc()
            LOG.warning("%s is away (%s); next attempt in %.1f s", sink, error, pause)
            time.sleep(pause)


def append_lines(path: Path, lines: list[bytes]) -> None:
    """Append `lines` to `path`, all or none. Who reads meanwhile may see the last line cut off.

    Raises:
        OSError: the disk is full, say; whoever tries again begins at a whole line.
    """
    left = memoryview(b"".join(line + b"\n" for line in lines))
    with _APPEND_LOCK, path.open("ab", buffering=0) as stream:
        size = os.fstat(stream.fileno()).st_size
        try:
            while left:
                left = left[stream.write(left) :]
        except OSError:
            stream.truncate(size)
            raise


def store_rendition(folder: Path, media: Media) -> None:
    """Put a rendition under its content hash; a second time changes nothing."""
    path = folder / f"{media.sha256}.jpg"
    if path.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
    unfinished.write_bytes(media.rendition)
    unfinished.replace(path)


class _AppendLines(beam.DoFn):
    def __init__(self, path: str) -> None:
        self.path = Path(path)

    def start_bundle(self) -> None:
        self.lines: list[bytes] = []

    def process(self, record: msgspec.Struct) -> None:
        self.lines.append(encode(record))

    def finish_bundle(self) -> None:
        if self.lines:
            until_done(self._append, sink=self.path.name)

    def _append(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        append_lines(self.path, self.lines)


class _StoreRenditions(beam.DoFn):
    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def process(self, post: Post) -> None:
        for media in post.media:
            until_done(partial(store_rendition, self.folder, media), sink="media")


@dataclass
class WriteJsonLines(beam.PTransform):
    """Records in; one JSON line each appended to `path`. A retried bundle repeats its lines."""

    path: str

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, records: PCollection[Any]) -> PCollection[None]:
        """Append bundle by bundle."""
        return records | "AppendLines" >> beam.ParDo(_AppendLines(self.path))


@dataclass
class StoreMedia(beam.PTransform):
    """Posts in; each rendition written once to `folder` under its content hash."""

    folder: str

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, posts: PCollection[Post]) -> PCollection[None]:
        """Write renditions, skipping those that are there."""
        return posts | "StoreRenditions" >> beam.ParDo(_StoreRenditions(self.folder))
