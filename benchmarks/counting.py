"""The end of a measured pipeline: notes in a folder of when elements came, and how many."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import apache_beam as beam


class CountAll(beam.DoFn):
    """Writes a line for each bundle: first and last element's time, count, processor seconds."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def setup(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._file = self._folder / f"{os.getpid()}-{uuid4().hex[:8]}.jsonl"

    def start_bundle(self) -> None:
        self._count = 0
        self._first = 0.0

    def process(self, element: Any) -> None:
        if not self._count:
            self._first = time.time()
        self._count += 1

    def finish_bundle(self) -> None:
        if self._count:
            note = [self._first, time.time(), self._count, time.process_time(), os.getpid()]
            with self._file.open("a", encoding="utf-8") as notes:
                notes.write(json.dumps(note) + "\n")


@dataclass(frozen=True)
class Seen:
    """What a folder of notes says: the steady stretch runs from the first to the last element.

    `cpu_micros` is the workers' processor time for each record of that stretch.
    """

    records: int
    first: float
    last: float
    cpu_micros: float

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.records / max(self.last - self.first, 1e-9)


def read_notes(folder: Path) -> list[list[float]]:
    """Every whole line of every file, in order of time."""
    texts = [file.read_text() for file in folder.glob("*.jsonl")] if folder.is_dir() else []
    lines = [line for text in texts for line in text[: text.rfind("\n") + 1].splitlines()]
    return sorted((json.loads(line) for line in lines), key=lambda note: note[1])


def count_notes(folder: Path) -> int:
    """How many elements have come so far."""
    return int(sum(note[2] for note in read_notes(folder)))


def sum_up(notes: list[list[float]]) -> Seen:
    """The steady stretch over all workers."""
    records = int(sum(note[2] for note in notes))
    used, covered = 0.0, 0.0
    for pid in {note[4] for note in notes}:
        own = [note for note in notes if note[4] == pid]
        used += own[-1][3] - own[0][3]
        covered += sum(note[2] for note in own[1:])
    cpu = used / covered * 1e6 if covered else 0.0
    return Seen(records, min(n[0] for n in notes), max(n[1] for n in notes), cpu)
