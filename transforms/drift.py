"""Stage: watch drift. Whether the last hour's posts still look like those of the validation."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import msgspec
from apache_beam import coders
from apache_beam.pvalue import PCollection
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec, TimerSpec, on_timer
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import Timestamp
from apache_beam.utils.windowed_value import WindowedValue

from models.checkpoint import CheckpointError
from models.drift import Drift, Population, Reference, read_reference
from models.model_pointer import named_folders
from schemas.metrics import DRIFT, DRIFT_POSTS, MODEL_REFUSALS
from schemas.records import Reading
from transforms.coders import StructCoder
from transforms.counters import counter, gauge

MICRO = 1_000_000
LOOK_SECONDS = 60.0  # between two looks for the reference of a model that has none
MOST_HOURS = 4  # of panes are kept: the slowest partition may lag so far behind, less an hour


class References:
    """The references of the models that a path names or named, each read once.

    A damaged one is none, and counted.
    """

    def __init__(self, path: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._clock = path, clock
        self._known: dict[str, Reference] = {}
        self._looked: dict[str, float] = {}

    def find(self, model: str) -> Reference | None:
        """The reference of `model`, None where there is none."""
        found = self._known.get(model)
        if found is None and self._clock() >= self._looked.get(model, -math.inf) + LOOK_SECONDS:
            self._looked[model] = self._clock()
            found = self._read(model)
        return found

    def _read(self, model: str) -> Reference | None:
        try:
            for folder in named_folders(self._path):
                reference = read_reference(folder)
                if reference is not None and reference.model == model:
                    return self._known.setdefault(model, reference)
        except CheckpointError:
            counter(MODEL_REFUSALS, cause="reference").inc()
        return None


class Pane(msgspec.Struct, frozen=True, array_like=True):
    """What some readings of the pane that starts at `start` (epoch seconds) add to it."""

    start: int
    population: Population


class HourTold(msgspec.Struct, frozen=True):
    """How far the posts of one model's hour up to `end` (epoch seconds) are from its reference."""

    model: str
    end: int
    posts: int
    drifts: tuple[Drift, ...]


class Hour(msgspec.Struct, kw_only=True):
    """The panes of one model's last hour, and of those that event time has not reached yet.

    `told` is the end of the newest pane that was told. Where history is read faster than it is
    told, the oldest panes are left out and so are their hours, so that neither state nor tellings
    grow with the time that a stream spans: what counts in the end is the last hour.
    """

    panes: dict[int, Population] = {}
    told: int | None = None
    due: int | None = None

    def learn_one(self, pane: Pane, seconds: int, hour: int) -> None:
        """Add to a pane; one that has left the hour says nothing any more."""
        if self.told is not None and pane.start + seconds <= self.told - hour:
            return
        self.panes.setdefault(pane.start, Population()).merge(pane.population)
        while len(self.panes) > MOST_HOURS * hour // seconds:
            oldest = min(self.panes)
            del self.panes[oldest]
            self.told = max(self.told or oldest, oldest + hour)  # no later hour holds that pane

    def next_end(self, seconds: int) -> int | None:
        """The end of the earliest pane that was not told yet."""
        ends = [start + seconds for start in self.panes]
        return min((end for end in ends if self.told is None or end > self.told), default=None)

    def close(self, end: int, seconds: int, hour: int) -> Population:
        """All that the hour up to `end` holds; what has left it is dropped."""
        self.told = end
        self.panes = {s: p for s, p in self.panes.items() if s + seconds > end - hour}
        whole = Population()
        for start, population in self.panes.items():
            if start < end:
                whole.merge(population)
        return whole


class _SamplePopulation(beam.DoFn):
    """Reading -> (model, Pane): one for each model and pane of a bundle, not one for each post."""

    def __init__(self, checkpoint: str, pane_seconds: int) -> None:
        self.checkpoint, self.pane_seconds = checkpoint, pane_seconds

    def setup(self) -> None:
        self.references = References(self.checkpoint)

    def start_bundle(self) -> None:
        self.panes: dict[tuple[str, int], Population] = {}

    def process(self, reading: Reading) -> None:
        reference = self.references.find(reading.model)
        if reference is not None:
            second = math.floor(reading.created_at.timestamp())
            start = second - second % self.pane_seconds
            pane = self.panes.setdefault((reading.model, start), Population())
            pane.learn_one(reading, reference)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        for (model, start), population in self.panes.items():
            pane = model, Pane(start, population)
            yield WindowedValue(pane, Timestamp(start), (GlobalWindow(),))


class _KeepHour(beam.DoFn):
    """(model, Pane) -> HourTold, as the watermark passes the end of each pane."""

    HOUR = ReadModifyWriteStateSpec("hour", StructCoder(Hour, sort_keys=False))
    END = TimerSpec("end", TimeDomain.WATERMARK)

    def __init__(self, checkpoint: str, pane_seconds: int, hour_seconds: int) -> None:
        self.checkpoint = checkpoint
        self.pane_seconds, self.hour_seconds = pane_seconds, hour_seconds

    def setup(self) -> None:
        self.references = References(self.checkpoint)

    def process(
        self,
        element: tuple[str, Pane],
        state: Any = beam.DoFn.StateParam(HOUR),
        end: Any = beam.DoFn.TimerParam(END),
    ) -> None:
        hour = state.read() or Hour()
        hour.learn_one(element[1], self.pane_seconds, self.hour_seconds)
        self._await(hour, end)
        state.write(hour)

    @on_timer(END)
    def tell(
        self,
        model: Any = beam.DoFn.KeyParam,
        state: Any = beam.DoFn.StateParam(HOUR),
        end: Any = beam.DoFn.TimerParam(END),
    ) -> Iterator[HourTold]:
        hour = state.read()
        if hour is None or hour.due is None:
            return
        told = hour.due
        population = hour.close(told, self.pane_seconds, self.hour_seconds)
        hour.due = None
        self._await(hour, end)
        state.write(hour)
        reference = self.references.find(model)
        if reference is not None:
            drifts = tuple(population.drifts(reference))
            yield HourTold(model, told, population.rows, drifts)

    def _await(self, hour: Hour, timer: Any) -> None:
        due = hour.next_end(self.pane_seconds)
        if due is not None and due != hour.due:
            hour.due = due
            timer.set(Timestamp(due))


def set_gauges(told: HourTold) -> HourTold:
    """Let Moodwire's gauges say what was told, in millionths."""
    gauge(DRIFT_POSTS, model=told.model).set(told.posts)
    for drift in told.drifts:
        for measure, value in (("psi", drift.psi), ("js", drift.js)):
            labels = {"model": told.model, "statistic": drift.statistic, "measure": measure}
            gauge(DRIFT, **labels).set(round(value * MICRO))
    return told


@dataclass
class WatchDrift(beam.PTransform):
    """Readings in; how far the hour up to the watermark is from the reference, and gauges of it.

    Told each time that event time passes the end of a pane. Late posts count from the next telling
    on, while their pane lies within the hour. Sums are of integers, so figures depend on which
    posts came and not on their order. A model without a reference is not watched. State is some
    dozen panes of some hundred integers for each model, at most those of `MOST_HOURS`.

    Attributes:
        checkpoint: a checkpoint folder with its reference, or a file that names one.
        pane_seconds: length of a pane, in event time.
        hour_seconds: how far back a telling reaches, a multiple of `pane_seconds`.
    """

    checkpoint: str
    pane_seconds: int = 300
    hour_seconds: int = 3600

    def __post_init__(self) -> None:
        super().__init__()

    def expand(
        self, inputs: tuple[PCollection[Reading], PCollection[Any]]
    ) -> PCollection[HourTold]:
        """Add up bundles, then keep an hour of each model.

        Nothing is read of the second input: the step that keeps state only stands behind it. Flink
        numbers steps by their distance from the source, and finds the state of a savepoint by those
        numbers; a step beside older ones would move the ones behind them.
        """
        readings, before = inputs
        sample = _SamplePopulation(self.checkpoint, self.pane_seconds)
        keep = _KeepHour(self.checkpoint, self.pane_seconds, self.hour_seconds)
        sampled = readings | "SamplePopulation" >> beam.ParDo(sample).with_output_types(
            tuple[str, Pane]
        )
        nothing = before | "StandBehind" >> beam.FlatMap(no_pane).with_output_types(
            tuple[str, Pane]
        )
        return (
            (sampled, nothing)
            | "GatherPanes" >> beam.Flatten()
            | "KeepHour" >> beam.ParDo(keep).with_output_types(HourTold)
            | "SetGauges" >> beam.Map(set_gauges).with_output_types(HourTold)
        )


def no_pane(_: Any) -> tuple[tuple[str, Pane], ...]:
    """Nothing of what comes."""
    return ()


for traveller in (Pane, HourTold):
    coders.registry.register_coder(traveller, StructCoder)
