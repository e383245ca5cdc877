"""How each brand is felt about in sliding event-time windows, refined as posts arrive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import apache_beam as beam
from apache_beam import coders
from apache_beam.pvalue import PCollection
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec, TimerSpec, on_timer
from apache_beam.transforms.window import GlobalWindows, SlidingWindows, TimestampedValue

from schemas.metrics import TRENDS
from schemas.records import PaneTiming, Reading, Trend
from transforms.coders import StructCoder
from transforms.counters import counter
from transforms.samples import Key, Sample, samples_by_key
from transforms.tally import Tally, decode_tally, encode_tally

Dimension = Literal["channel", "lang", "country"]
DIMENSIONS: tuple[Dimension, ...] = ("channel", "lang", "country")


def next_timing(tally: Tally, early_posts: int) -> PaneTiming | None:
    """What to tell after a sample was learned: every late one, and early ones by the dozen."""
    if tally.closed:
        return "late"
    return "early" if tally.posts % early_posts == 0 else None


class _TallyCoder(coders.Coder):
    """Deterministic coder of tallies, sketches included."""

    def encode(self, value: Tally) -> bytes:
        return encode_tally(value)

    def decode(self, encoded: bytes) -> Tally:
        return decode_tally(encoded)

    def is_deterministic(self) -> bool:
        return True


class _TellWindows(beam.DoFn):
    """(key, Sample) in sliding windows -> Trend panes of the key's windows.

    State and timers belong to one key and window. On time is when the watermark passes the end of
    the window; final is when it passes the allowed lateness after that, and then state goes.
    """

    TALLY = ReadModifyWriteStateSpec("tally", _TallyCoder())
    ON_TIME = TimerSpec("on_time", TimeDomain.WATERMARK)
    FINAL = TimerSpec("final", TimeDomain.WATERMARK)

    def __init__(self, early_posts: int, allowed_lateness_seconds: int) -> None:
        self.early_posts = early_posts
        self.allowed_lateness_seconds = allowed_lateness_seconds

    def process(
        self,
        element: tuple[Key, Sample],
        window: Any = beam.DoFn.WindowParam,
        state: Any = beam.DoFn.StateParam(TALLY),
        on_time: Any = beam.DoFn.TimerParam(ON_TIME),
        final: Any = beam.DoFn.TimerParam(FINAL),
    ) -> Iterator[Trend]:
        key, sample = element
        tally = state.read()
        if tally is None:
            tally = Tally()
            on_time.set(window.end)
            final.set(window.end + self.allowed_lateness_seconds)
        tally.learn_one(sample)
        state.write(tally)
        timing = next_timing(tally, self.early_posts)
        if timing:
            yield _pane(key, tally, window, timing)

    @on_timer(ON_TIME)
    def tell_on_time(
        self,
        key: Any = beam.DoFn.KeyParam,
        window: Any = beam.DoFn.WindowParam,
        state: Any = beam.DoFn.StateParam(TALLY),
    ) -> Iterator[Trend]:
        tally = state.read()
        if tally is not None and not tally.closed:
            tally.closed = True
            state.write(tally)
            yield _pane(key, tally, window, "on_time")

    @on_timer(FINAL)
    def tell_final(
        self,
        key: Any = beam.DoFn.KeyParam,
        window: Any = beam.DoFn.WindowParam,
        state: Any = beam.DoFn.StateParam(TALLY),
    ) -> Iterator[Trend]:
        tally = state.read()
        if tally is not None:
            state.clear()
            yield _pane(key, tally, window, "final")


def _pane(key: Key, tally: Tally, window: Any, timing: PaneTiming) -> Trend:
    counter(TRENDS, timing=timing).inc()
    return tally.trend(key, int(window.start), int(window.end), timing)


@dataclass
class AggregateTrends(beam.PTransform):
    """Reading -> Trend: each window of each brand, told early, on time, late and once for good.

    Readings carry event time and lie in the global window; so do the trends. A pane holds all
    that its window holds so far. Readings that come within the allowed lateness refine their
    windows; the final pane depends only on which readings came, not on their order.

    Attributes:
        window_seconds: length of a window.
        period_seconds: distance between the starts of windows, a divisor of `window_seconds`.
        allowed_lateness_seconds: how long after its end a window takes readings.
        early_posts: readings between two early panes of a window.
        slices: dimensions told apart besides the slice of all posts.
    """

    window_seconds: int
    period_seconds: int
    allowed_lateness_seconds: int
    early_posts: int = 50
    slices: tuple[Dimension, ...] = DIMENSIONS

    def __post_init__(self) -> None:
        super().__init__()
        if self.window_seconds % self.period_seconds:
            raise ValueError(
                f"window_seconds: {self.window_seconds} is not a multiple of period_seconds "
                f"({self.period_seconds}); choose e.g. 300 and 60"
            )

    def expand(self, pcoll: PCollection[Reading]) -> PCollection[Trend]:
        """Wire the stage: a sample per slice, windows, panes."""
        # The runner must hold a window's state and timers until its final pane is told.
        held_seconds = self.allowed_lateness_seconds + self.period_seconds
        return (
            pcoll
            | "SampleSlices"
            >> beam.FlatMap(samples_by_key, self.slices).with_output_types(tuple[Key, Sample])
            | "SlideWindows"
            >> beam.WindowInto(
                SlidingWindows(self.window_seconds, self.period_seconds),
                allowed_lateness=held_seconds,
            )
            | "TellWindows"
            >> beam.ParDo(
                _TellWindows(self.early_posts, self.allowed_lateness_seconds)
            ).with_output_types(Trend)
            | "LeaveWindows" >> beam.WindowInto(GlobalWindows())
        )


coders.registry.register_coder(Sample, StructCoder)
