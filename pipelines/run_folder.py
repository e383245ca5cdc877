"""The folder that a run writes and the live page follows: its files, its counts, its summary."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import msgspec

FILES = {
    "readings": "readings.jsonl",
    "trends": "trends.jsonl",
    "alerts": "alerts.jsonl",
    "topics": "topics.jsonl",
    "rejections": "dead-letters.jsonl",
    "rollups": "rollups.jsonl",
}
COUNTERS_FILE = "counters.json"
FEEDBACK_FILE = "alert-feedback.jsonl"  # written by people, through the page or the command line
SHADOW_FILE = "shadow.json"
MEDIA_FOLDER = "media"


class FolderInUseError(ValueError):
    """The folder holds an earlier run's results."""


class _ReadingKey(msgspec.Struct, frozen=True):
    channel: str
    post_id: str


class _PositionKey(msgspec.Struct, frozen=True):
    topic: str
    partition: int
    offset: int


class _RejectionKey(msgspec.Struct, frozen=True):
    position: _PositionKey
    stage: str
    cause: str


class _TrendKey(msgspec.Struct, frozen=True):
    brand: str
    window_start: str
    slice: dict[str, str]
    final: bool


class _AlertKey(msgspec.Struct, frozen=True):
    alert_id: str
    brand: str
    kind: str
    status: str
    since: str
    severity: int
    revision: int
    final: bool
    title: str


@dataclass(frozen=True)
class RunFolder:
    """Where one run writes: a file a record kind, renditions, and a snapshot of its counters."""

    path: Path

    def file(self, records: str) -> Path:
        """The JSON-lines file of one kind of records."""
        return self.path / FILES[records]

    @property
    def media(self) -> Path:
        """Where renditions lie, each under its content hash."""
        return self.path / MEDIA_FOLDER

    def prepare(self, overwrite: bool, resume: bool = False) -> bool:
        """Make the folder ready for a run; one that resumes goes on with what is there.

        What a run was writing when it was killed goes: its source reads those records again.

        Returns:
            Whether results of an earlier run stay in it.

        Raises:
            FolderInUseError: it holds results and neither `overwrite` nor `resume` is True.
        """
        held = [self.file(kind) for kind in FILES if self.file(kind).exists()]
        if resume and not overwrite:
            for path in held:
                cut_half_line(path)
            self.media.mkdir(parents=True, exist_ok=True)
            return bool(held)
        if held and not overwrite:
            raise FolderInUseError(
                f"{self.path} holds an earlier run. Give --output a new folder, or --overwrite"
            )
        beside = (COUNTERS_FILE, SHADOW_FILE, FEEDBACK_FILE)
        for path in (*held, *(self.path / name for name in beside)):
            path.unlink(missing_ok=True)
        shutil.rmtree(self.media, ignore_errors=True)
        self.media.mkdir(parents=True)
        return False

    def write_counters(self, snapshot: dict[str, Any]) -> None:
        """Replace the snapshot of counters in one step, so that readers never see half of it."""
        self._replace(COUNTERS_FILE, json.dumps(snapshot))

    def write_shadow(self, summary: msgspec.Struct) -> None:
        """Replace what a second model is known to disagree about."""
        self._replace(SHADOW_FILE, msgspec.json.encode(summary).decode())

    def _replace(self, name: str, text: str) -> None:
        unfinished = self.path / f".{name}.part"
        unfinished.write_text(text, encoding="utf-8")
        os.replace(unfinished, self.path / name)


def cut_half_line(path: Path) -> None:
    """Drop what follows the last newline of a file."""
    if path.stat().st_size:
        with path.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as whole:
            kept = whole.rfind(b"\n") + 1
        os.truncate(path, kept)


@dataclass(frozen=True)
class Outcome:
    """What a finished run found, counted from the records it wrote, each key once."""

    readings: int = 0
    rejections: dict[tuple[str, str], int] = field(default_factory=dict)
    trends: int = 0
    brands: dict[str, tuple[str, str]] = field(default_factory=dict)
    alerts: tuple[_AlertKey, ...] = ()

    @property
    def rejected(self) -> int:
        """Dead letters of every cause."""
        return sum(self.rejections.values())


def count_outcome(folder: RunFolder) -> Outcome:
    """Read the run's files back and count every key once, whatever was written twice."""
    trends = {
        (t.brand, t.window_start, *sorted(t.slice.items()))
        for t in _records(folder.file("trends"), _TrendKey)
        if t.final
    }
    return Outcome(
        readings=len(set(_records(folder.file("readings"), _ReadingKey))),
        rejections=count_causes(folder.file("rejections")),
        trends=len(trends),
        brands=_spans(trends),
        alerts=_newest(folder.file("alerts")),
    )


def _records(path: Path, kind: type[Any]) -> Iterator[Any]:
    if not path.exists():
        return
    decoder = msgspec.json.Decoder(kind)
    with path.open("rb") as lines:
        for line in lines:
            yield decoder.decode(line)


def count_causes(path: Path) -> dict[tuple[str, str], int]:
    """How many dead letters a file holds by stage and cause, the most frequent first."""
    unique = set(_records(path, _RejectionKey))
    return dict(Counter((r.stage, r.cause) for r in unique).most_common())


def _spans(trends: set[Any]) -> dict[str, tuple[str, str]]:
    """The first and the last window of every brand."""
    spans: dict[str, tuple[str, str]] = {}
    for brand, start, *_ in trends:
        first, last = spans.get(brand, (start, start))
        spans[brand] = (min(first, start), max(last, start))
    return dict(sorted(spans.items()))


def _newest(path: Path) -> tuple[_AlertKey, ...]:
    newest: dict[str, _AlertKey] = {}
    for alert in _records(path, _AlertKey):
        known = newest.get(alert.alert_id)
        if known is None or (alert.final, alert.revision) >= (known.final, known.revision):
            newest[alert.alert_id] = alert
    return tuple(sorted(newest.values(), key=lambda a: (a.since, a.alert_id)))
