"""How far the readers of a group have come, which they tell each other beside their commits.

A reader whose partitions are all silent knows nothing of time. What it may know is what the others
have reached for good: each commit carries its partition's newest event time as metadata, and is
made once the runner has finished the bundle, so it is never ahead of the runner's checkpoint.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

import msgspec

from transforms.kafka.offsets import Offsets, Partition

VERSION = 1


class Report(msgspec.Struct, frozen=True):
    """What a commit says of its partition: its newest event time, and whether it is silent.

    `run` is the run that said so. What an earlier one reached, perhaps in a replay of another
    time, says nothing about this one.
    """

    newest: float | None = None  # None before its first event
    is_silent: bool = False
    run: str = ""
    version: int = VERSION

    def as_text(self) -> str:
        """The metadata of a commit."""
        return msgspec.json.encode(self).decode()

    @property
    def seconds(self) -> float:
        """The newest event time, minus infinity before the first."""
        return -math.inf if self.newest is None else self.newest


UNKNOWN = Report()  # holds the others back until its reader speaks


class Commit(msgspec.Struct, frozen=True):
    """An offset that a group committed, and the metadata beside it."""

    offset: int
    metadata: str = ""


def read_report(commit: Commit | None, end: int, is_empty: bool, run: str) -> Report | None:
    """What a partition's owner says of it, None where it need not say anything.

    Silence counts only as long as the broker holds nothing past what was committed: then its owner
    cannot be behind, however long ago it said so. An empty partition has nothing to wait for.
    """
    report = _parse(commit.metadata) if commit else UNKNOWN
    if commit is None or report.version != VERSION or report.run != run:
        return None if is_empty else UNKNOWN
    if report.is_silent and end > commit.offset:
        return msgspec.structs.replace(report, is_silent=False)
    return report


def _parse(metadata: str) -> Report:
    try:
        return msgspec.json.decode(metadata, type=Report)
    except msgspec.DecodeError:
        return UNKNOWN


def read_reports(
    commits: Mapping[Partition, Commit | None], firsts: Offsets, ends: Offsets, run: str
) -> list[Report]:
    """What the owners of partitions that hold the offsets [first, end) say of them."""
    found = (read_report(c, ends[p], firsts[p] >= ends[p], run) for p, c in commits.items())
    return [report for report in found if report is not None]


class GroupTime(msgspec.Struct):
    """How far a silent reader may go by what the others said, in epoch seconds.

    The silence is counted from when the `newest` event of all was heard of.
    """

    reached: float = -math.inf
    silent_seconds: float = 0.0
    heard_at: float = -math.inf
    newest: float = -math.inf

    def hear(
        self, others: Collection[Report], newest: float, now: float, tolerance_seconds: float
    ) -> None:
        """Go on as far as the slowest reader that is not silent, else with the clock.

        `newest` is the newest event time of this reader. Time spent without hearing of the
        others, by more than the tolerance, does not count as silence.
        """
        waited, self.heard_at = now - self.heard_at, now
        active = [report.seconds for report in others if not report.is_silent]
        if active:
            self.silent_seconds = 0.0
            self.reached = min(active)
            return
        newest = max([newest, *(report.seconds for report in others)])
        if newest > self.newest:
            self.newest, self.silent_seconds = newest, 0.0
        elif waited <= tolerance_seconds:
            self.silent_seconds += waited
        self.reached = newest + self.silent_seconds
