"""Follow a run folder: what its files gained since the last look, folded into the state."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from dashboards.live.state import STALLED_AFTER_SECONDS, Run, State, Status
from schemas.records import (
    UNREADABLE,
    Alert,
    AlertFeedback,
    Rejection,
    Rollup,
    Topic,
    Trend,
    decode,
)

CHUNK_BYTES = 512 * 1024
HEAD_BYTES = 256
Kind = type[Trend] | type[Alert] | type[AlertFeedback] | type[Topic] | type[Rejection]
FILES: tuple[tuple[str, Kind], ...] = (
    ("trends.jsonl", Trend),
    ("rollups.jsonl", Rollup),
    ("alerts.jsonl", Alert),
    ("alert-feedback.jsonl", AlertFeedback),
    ("topics.jsonl", Topic),
    ("dead-letters.jsonl", Rejection),
)


class RewrittenError(Exception):
    """A file does not go on where it was left: another run writes it now."""


class Tail:
    """Complete lines that one growing file gained since the last read.

    A last line without its newline waits for it. A file that was rotated, renamed to
    `name.something` beside a new one, is read to its end before the new one is begun.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rewind()

    def rewind(self) -> None:
        """Start again at the first line."""
        self.offset = 0
        self._head = b""

    def read(self) -> list[bytes]:
        """The next lines, at most about `CHUNK_BYTES` of them; none at the end.

        Raises:
            RewrittenError: the file was removed, cut or replaced by another.
        """
        if self._goes_on(self.path):
            return self._lines(self.path)
        for rotated in sorted(self.path.parent.glob(f"{self.path.name}.*")):
            if self._goes_on(rotated):
                return self._rest(rotated)
        raise RewrittenError(self.path.name)

    def _rest(self, rotated: Path) -> list[bytes]:
        parts = list(iter(lambda: self._lines(rotated), []))
        self.rewind()
        return [line for lines in parts for line in lines]

    def _goes_on(self, path: Path) -> bool:
        if not path.exists():
            return self.offset == 0
        if path.stat().st_size < self.offset:
            return False
        return _first_bytes(path, len(self._head)) == self._head

    def _lines(self, path: Path) -> list[bytes]:
        if not path.exists() or path.stat().st_size == self.offset:
            return []
        with path.open("rb") as stream:
            stream.seek(self.offset)
            chunk = stream.read(CHUNK_BYTES)
            chunk += stream.readline() if not chunk.endswith(b"\n") else b""
        whole = chunk[: chunk.rfind(b"\n") + 1]
        self.offset += len(whole)
        self._head = _first_bytes(path, min(HEAD_BYTES, self.offset))
        return whole.splitlines()


def _first_bytes(path: Path, count: int) -> bytes:
    with path.open("rb") as stream:
        return stream.read(count)


class Follower:
    """One run folder in, one state kept up to date; `poll` as often as is wanted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = State()
        self._tails = [(Tail(folder / name), kind) for name, kind in FILES]
        self._counters_seen: tuple[int, int] | None = None
        self._counters: Mapping[str, Any] = {}
        self._unreadable = 0

    def poll(self, now: float | None = None) -> bool:
        """Fold in what is new; whether there may be more to read at once."""
        try:
            more = [self._drain(tail, kind) for tail, kind in self._tails]
        except RewrittenError:
            self._start_over()
            return True
        except FileNotFoundError:
            return False  # removed between two looks at it: the next poll says what became of it
        self._read_counters()
        self.state.set_run(self._run(time.time() if now is None else now))
        return any(more)

    def is_current(self) -> bool:
        """A file is read faster than anybody asks."""
        return True

    def rendition(self, sha256: str) -> bytes | None:
        """The rendition of an image by its content hash, None where there is none."""
        try:
            return (self.folder / "media" / f"{sha256}.jpg").read_bytes()
        except OSError:
            return None

    def _drain(self, tail: Tail, kind: Kind) -> bool:
        lines = tail.read()
        for record in self._records(lines, kind):
            self.state.fold(record)
        return bool(lines)

    def _records(
        self, lines: list[bytes], kind: Kind
    ) -> Iterator[Trend | Alert | AlertFeedback | Topic | Rejection]:
        for line in filter(bytes.strip, lines):
            try:
                yield decode(line, kind)
            except UNREADABLE:
                self._unreadable += 1  # shown on the page

    def _start_over(self) -> None:
        self.state.clear()
        self._unreadable = 0
        self._counters_seen = None
        for tail, _ in self._tails:
            tail.rewind()

    def _read_counters(self) -> None:
        path = self.folder / "counters.json"
        try:
            stat = path.stat()
            seen = (stat.st_mtime_ns, stat.st_size)
            if seen == self._counters_seen:
                return
            self._counters = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        except (FileNotFoundError, msgspec.DecodeError):
            return  # not written yet, or being written: the next look finds it
        self._counters_seen = seen
        self.state.fold_counters(self._counters)

    def _run(self, now: float) -> Run:
        return Run(
            title=str(self._counters.get("title") or "Moodwire"),
            status=self._status(now),
            watermark=_number(self._counters.get("watermark")),
            speed=_number(self._counters.get("speed")),
            unreadable_lines=self._unreadable,
        )

    def _status(self, now: float) -> Status:
        if self._counters_seen is None:
            return "running" if self.state.version else "waiting"
        if not self._counters.get("running", True):
            return "ended"
        age_seconds = now - self._counters_seen[0] / 1e9
        return "stalled" if age_seconds > STALLED_AFTER_SECONDS else "running"


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
