"""Stage: roll up. Hours, days and other long windows, made of the short ones that fill them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.pvalue import PCollection
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec, TimerSpec, on_timer
from apache_beam.utils.timestamp import Timestamp

from schemas.records import PaneTiming, Rollup
from transforms.tally import Tally, decode_tally
from transforms.trend import HandedOn, TallyCoder

LongKey = tuple[str, str, str, str, int, int]  # brand, channel, lang, country, start, length


class Part(NamedTuple):
    """An encoded tally, and when what is known until then is told of a long window."""

    tell_at: int
    tally: bytes


def parts_of(handed_on: HandedOn, lengths: tuple[int, ...]) -> Iterator[tuple[LongKey, Part]]:
    """The tally of a window for each long one that holds it; days are days in UTC.

    The shortest length is told with each window, a longer one with each of the next shorter.

    >>> window = ("Nova", "*", "*", "*", 7500)
    >>> for key, part in parts_of((window, b""), (300, 3600, 86400)):
    ...     print(key[-2:], part.tell_at)
    (7200, 3600) 7800
    (0, 86400) 10800
    """
    (*whose, start), tally = handed_on
    for shorter, seconds in pairwise(lengths):
        key: Any = (*whose, start - start % seconds, seconds)
        yield key, Part(start - start % shorter + shorter, tally)


class _KeepLengths(beam.DoFn):
    """(key with start and length, Part) -> Rollup panes.

    As in `_TellWindows`, but what is added are tallies. Timers have names of their own: FnApiRunner
    of Beam 2.77 keeps the timers of all steps by their names alone. They wait `AFTER` longer than
    those of the windows, since a runner may let the watermark reach the very moment at which a
    timer of the step before is still due.
    """

    TALLY = ReadModifyWriteStateSpec("tally", TallyCoder())
    SO_FAR = TimerSpec("long_so_far", TimeDomain.WATERMARK)
    ON_TIME = TimerSpec("long_on_time", TimeDomain.WATERMARK)
    FINAL = TimerSpec("long_final", TimeDomain.WATERMARK)
    AFTER = 0.001

    def __init__(self, allowed_lateness_seconds: float) -> None:
        self.allowed_lateness_seconds = allowed_lateness_seconds

    def process(
        self,
        element: tuple[LongKey, Part],
        state: Any = beam.DoFn.StateParam(TALLY),
        so_far: Any = beam.DoFn.TimerParam(SO_FAR),
        on_time: Any = beam.DoFn.TimerParam(ON_TIME),
        final: Any = beam.DoFn.TimerParam(FINAL),
    ) -> Iterator[Rollup]:
        key, part = element
        tally = state.read()
        if tally is None:
            tally = Tally()
            end = Timestamp(key[-2] + key[-1]) + self.AFTER
            on_time.set(end)
            final.set(end + self.allowed_lateness_seconds)
        tally.merge(decode_tally(part.tally))
        state.write(tally)
        if tally.closed:
            yield self._pane(key, tally, "late")
        else:
            so_far.set(Timestamp(part.tell_at) + self.AFTER)

    @on_timer(SO_FAR)
    def tell_so_far(
        self, key: Any = beam.DoFn.KeyParam, state: Any = beam.DoFn.StateParam(TALLY)
    ) -> Iterator[Rollup]:
        tally = state.read()
        if tally is not None and not tally.closed:
            yield self._pane(key, tally, "early")

    @on_timer(ON_TIME)
    def tell_on_time(
        self, key: Any = beam.DoFn.KeyParam, state: Any = beam.DoFn.StateParam(TALLY)
    ) -> Iterator[Rollup]:
        tally = state.read()
        if tally is not None and not tally.closed:
            tally.closed = True
            state.write(tally)
            yield self._pane(key, tally, "on_time")

    @on_timer(FINAL)
    def tell_final(
        self, key: Any = beam.DoFn.KeyParam, state: Any = beam.DoFn.StateParam(TALLY)
    ) -> Iterator[Rollup]:
        tally = state.read()
        if tally is not None:
            state.clear()
            yield self._pane(key, tally, "final")

    def _pane(self, key: LongKey, tally: Tally, timing: PaneTiming) -> Rollup:
        start, seconds = key[4:]
        return tally.rollup(key[:4], start, start + seconds, timing)


@dataclass
class RollUp(beam.PTransform):
    """Tallies of windows side by side -> Rollup: the same trend for longer windows.

    Each reading is learnt once, by its window; what is longer is made by `Tally.merge`. A pane
    holds all that was handed on until then: told as a window fills, when it ends, with each late
    reading, and once for good. Finals depend only on which readings came: they are, to the byte,
    what one tally of all of them would tell.

    Attributes:
        lengths: in seconds, each a multiple of the one before, the first of the windows' length.
        window_seconds: length of the windows.
        allowed_lateness_seconds: how late readings may come, as the windows were made with.
    """

    lengths: tuple[int, ...]
    window_seconds: int
    allowed_lateness_seconds: float

    def __post_init__(self) -> None:
        super().__init__()
        for shorter, longer in pairwise((self.window_seconds, *self.lengths)):
            if longer % shorter:
                raise ValueError(f"lengths: {longer} is no multiple of {shorter}; choose e.g. 3600")

    def expand(self, inputs: tuple[PCollection[HandedOn], PCollection[Any]]) -> PCollection[Rollup]:
        """Wire the stage: a part of each long window, then panes.

        Nothing is read of the second input: as in `WatchDrift.expand`, the step that keeps state
        only stands behind it, so that a savepoint of an older release finds its own steps again.
        """
        tallies, before = inputs
        parts = tallies | "PartLengths" >> beam.FlatMap(
            parts_of, (self.window_seconds, *self.lengths)
        ).with_output_types(tuple[LongKey, Part])
        nothing = before | "StandBehind" >> beam.FlatMap(no_part).with_output_types(
            tuple[LongKey, Part]
        )
        keep = _KeepLengths(self.allowed_lateness_seconds)
        return (
            (parts, nothing)
            | "GatherParts" >> beam.Flatten()
            | "KeepLengths" >> beam.ParDo(keep).with_output_types(Rollup)
        )


def no_part(_: Any) -> tuple[tuple[LongKey, Part], ...]:
    """Nothing of what comes."""
    return ()
