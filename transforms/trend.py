"""How each brand is felt about in sliding event-time windows, refined as posts arrive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam import coders
from apache_beam.pvalue import PCollection, TaggedOutput
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec, TimerSpec, on_timer
from apache_beam.utils.timestamp import Timestamp

from schemas.metrics import TRENDS
from schemas.records import PaneTiming, Reading, Trend
from transforms.bundle_tallies import TallyBundle
from transforms.counters import counter
from transforms.tally import Tally, decode_tally, encode_tally
from transforms.windows import DIMENSIONS, Dimension, WindowKey

HandedOn = tuple[WindowKey, bytes]  # an encoded tally, of a window or of what came late for one
HANDED_ON = "handed_on"
LEAST_STEPS = 16  # early panes of a window before they grow rarer


def next_timing(before: int, tally: Tally, early_posts: int) -> PaneTiming | None:
    """What to tell of a window that held `before` posts: late ones, and each `early_posts`.

    From sixteen times as many on, each eighth to sixteenth of what it holds: a window of a million
    posts tells some hundred panes then, not thousands that hardly differ.
    """
    if tally.closed:
        return "late"
    step = early_posts << (tally.posts // (LEAST_STEPS * early_posts)).bit_length()
    return "early" if tally.posts // step > before // step else None


class TallyCoder(coders.Coder):
    """Deterministic coder of tallies, sketches included."""

    def encode(self, value: Tally) -> bytes:
        return encode_tally(value)

    def decode(self, encoded: bytes) -> Tally:
        return decode_tally(encoded)

    def is_deterministic(self) -> bool:
        return True


class _TellWindows(beam.DoFn):
    """(key with window start, a bundle's Tally) -> Trend panes of that window, and its tally.

    The window is part of the key and all lies in the global window, since Prism 2.77 drops the
    state of sliding windows before their timers fire (docs/decisions/0004). On time is when the
    watermark passes the end of the window; final is when it passes the allowed lateness after
    that, and then the state goes. Windows that lie side by side hand their tally on when it closes,
    and each late sample after that, so that what is handed on counts each post once.
    """

    TALLY = ReadModifyWriteStateSpec("tally", TallyCoder())
    ON_TIME = TimerSpec("on_time", TimeDomain.WATERMARK)
    FINAL = TimerSpec("final", TimeDomain.WATERMARK)

    def __init__(
        self, window_seconds: int, allowed_lateness_seconds: float, early_posts: int
    ) -> None:
        self.window_seconds = window_seconds
        self.allowed_lateness_seconds = allowed_lateness_seconds
        self.early_posts = early_posts

    def process(
        self,
        element: tuple[WindowKey, Tally],
        state: Any = beam.DoFn.StateParam(TALLY),
        on_time: Any = beam.DoFn.TimerParam(ON_TIME),
        final: Any = beam.DoFn.TimerParam(FINAL),
    ) -> Iterator[Trend | TaggedOutput]:
        key, share = element
        tally = state.read()
        if tally is None:
            tally = Tally()
            end = key[-1] + self.window_seconds
            on_time.set(Timestamp(end))
            final.set(Timestamp(end + self.allowed_lateness_seconds))
        before = tally.posts
        tally.merge(share)
        state.write(tally)
        timing = next_timing(before, tally, self.early_posts)
        if timing:
            yield self._pane(key, tally, timing)
        if tally.closed and self._hands_on(key):
            yield _handed_on(key, share)

    @on_timer(ON_TIME)
    def tell_on_time(
        self, key: Any = beam.DoFn.KeyParam, state: Any = beam.DoFn.StateParam(TALLY)
    ) -> Iterator[Trend | TaggedOutput]:
        tally = state.read()
        if tally is not None and not tally.closed:
            tally.closed = True
            state.write(tally)
            yield self._pane(key, tally, "on_time")
            if self._hands_on(key):
                yield _handed_on(key, tally)

    @on_timer(FINAL)
    def tell_final(
        self, key: Any = beam.DoFn.KeyParam, state: Any = beam.DoFn.StateParam(TALLY)
    ) -> Iterator[Trend | TaggedOutput]:
        tally = state.read()
        if tally is not None:
            state.clear()
            yield self._pane(key, tally, "final")
            if not tally.closed and self._hands_on(key):  # a runner may call this timer first
                yield _handed_on(key, tally)

    def _hands_on(self, key: WindowKey) -> bool:
        """Of windows that overlap, those whose start is a multiple of their length."""
        return key[-1] % self.window_seconds == 0

    def _pane(self, key: WindowKey, tally: Tally, timing: PaneTiming) -> Trend:
        counter(TRENDS, timing=timing).inc()
        start = key[-1]
        return tally.trend(key[:-1], start, start + self.window_seconds, timing)


def _handed_on(key: WindowKey, tally: Tally) -> TaggedOutput:
    return TaggedOutput(HANDED_ON, (key, encode_tally(tally)))


class Aggregated(NamedTuple):
    """Trends, and the tallies of windows side by side, of which longer ones can be made."""

    trends: PCollection[Trend]
    tallies: PCollection[HandedOn]


@dataclass
class AggregateTrends(beam.PTransform):
    """Reading -> Trend: each window of each brand, told early, on time, late and once for good.

    Readings carry event time and lie in the global window; so do the trends. A pane holds all
    that its window holds so far. Readings that come within the allowed lateness refine their
    windows; the final pane depends only on which readings came, not on their order. The tallies
    beside the trends count each reading once: that of a window when it ends, then what comes late.

    Attributes:
        window_seconds: length of a window.
        period_seconds: distance between the starts of windows, a divisor of `window_seconds`.
        allowed_lateness_seconds: how long after its end a window takes readings.
        early_posts: readings between two early panes of a window, more in one that holds many
            (`next_timing`); a bundle tells at most one.
        slices: dimensions told apart besides the slice of all posts.
    """

    window_seconds: int
    period_seconds: int
    allowed_lateness_seconds: float
    early_posts: int = 50
    slices: tuple[Dimension, ...] = DIMENSIONS

    def __post_init__(self) -> None:
        super().__init__()
        if self.window_seconds % self.period_seconds:
            raise ValueError(
                f"window_seconds: {self.window_seconds} is not a multiple of period_seconds "
                f"({self.period_seconds}); choose e.g. 300 and 60"
            )

    def expand(self, pcoll: PCollection[Reading]) -> Aggregated:
        """Wire the stage: what each bundle adds to each window, then panes."""
        add_up = TallyBundle(self.window_seconds, self.period_seconds, self.slices)
        tell = _TellWindows(self.window_seconds, self.allowed_lateness_seconds, self.early_posts)
        told = (
            pcoll
            | "SpreadOverWindows"  # as in 0.2.0: Flink orders a savepoint's steps by labels too
            >> beam.ParDo(add_up).with_output_types(tuple[WindowKey, Tally])
            | "TellPanes"  # the label of one step here would be the id of another in a savepoint
            >> beam.ParDo(tell)
            .with_output_types(Trend, handed_on=HandedOn)
            .with_outputs(HANDED_ON, main="trends")
        )
        return Aggregated(told["trends"], told[HANDED_ON])


coders.registry.register_coder(Tally, TallyCoder)
