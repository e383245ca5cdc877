"""Dead letters of a run folder: listed for people, or delivered once more."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
from apache_beam.pvalue import PBegin, PCollection
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import MIN_TIMESTAMP, Timestamp
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from pipelines.run_folder import RunFolder
from schemas.metrics import POSTS_READ
from schemas.records import Delivery, Position, Rejection, decode
from transforms.channels.registry import event_time_of
from transforms.counters import counter

SHOWN_CHARACTERS = 200


class NoDeadLettersError(ValueError):
    """There are no dead letters where they were looked for."""


def read_letters(folder: Path, stage: str | None, cause: str | None) -> list[Rejection]:
    """The dead letters of a run folder, each position once, oldest first.

    Raises:
        NoDeadLettersError: the folder holds none of that stage and cause.
    """
    path = RunFolder(folder).file("rejections")
    if not path.exists():
        raise NoDeadLettersError(f"{path} does not exist: the run refused nothing, or never ran")
    with path.open("rb") as lines:
        every = [decode(line, Rejection) for line in lines]
    return choose_letters(every, stage, cause, str(path))


def choose_letters(
    every: list[Rejection], stage: str | None, cause: str | None, place: str
) -> list[Rejection]:
    """Those of one stage and cause, where given, each position once; `place` holds them.

    Raises:
        NoDeadLettersError: there are none.
    """
    unique: dict[tuple[Position, str, str], Rejection] = {}
    for letter in every:
        if stage in (None, letter.stage) and cause in (None, letter.cause):
            unique[letter.position, letter.stage, letter.cause] = letter
    if not unique:
        held = ", ".join(sorted({f"{x.stage}/{x.cause}" for x in every})) or "none at all"
        raise NoDeadLettersError(f"no dead letters of that stage and cause; {place} holds {held}")
    return list(unique.values())


def print_letters(letters: list[Rejection], show: int, console: Console) -> None:
    """Counts by stage and cause, then the first `show` letters in full."""
    where = Column("first at", overflow="fold")  # a place that is cut cannot be looked at
    table = Table("stage", "cause", "count", where, title=f"{len(letters):,} dead letters")
    counts = Counter((letter.stage, letter.cause) for letter in letters)
    for (stage, cause), count in counts.most_common():
        first = next(x for x in letters if (x.stage, x.cause) == (stage, cause))
        table.add_row(stage, cause, f"{count:,}", escape(str(first.position)))
    console.print(table)
    for letter in letters[:show]:
        console.print(
            f"{letter.position}  {letter.stage}/{letter.cause}: {letter.detail}", markup=False
        )
        console.print(f"  {letter.original[:SHOWN_CHARACTERS]!r}", markup=False, highlight=False)


def delivery_of(letter: Rejection) -> Delivery:
    """The delivery that was refused, one attempt later; it is never too late to be replayed."""
    return Delivery(
        value=letter.original,
        position=letter.position,
        channel=letter.channel,
        event_time=event_time_of(letter.original, letter.channel),
        root=letter.root,
        attempts=letter.attempts + 1,
    )


def _stamp(delivery: Delivery) -> TimestampedValue:
    counter(POSTS_READ).inc()
    seconds = delivery.event_time
    return TimestampedValue(delivery, MIN_TIMESTAMP if seconds is None else Timestamp(seconds))


@dataclass
class Redeliver(beam.PTransform):
    """A source that delivers dead letters again, in event time."""

    letters: list[Rejection]

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, start: PBegin) -> PCollection[Delivery]:
        """Deliver each letter once."""
        deliveries = [delivery_of(letter) for letter in self.letters]
        return (
            start
            | "DeadLetters" >> beam.Create(deliveries, reshuffle=False)
            | "StampEventTime" >> beam.Map(_stamp).with_output_types(Delivery)
        )
