"""How far event time has come over all partitions, of which some may have fallen silent."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterable, Mapping

import msgspec
from apache_beam.io.iobase import WatermarkEstimator
from apache_beam.utils.timestamp import Timestamp

from transforms.kafka.group_times import GroupTime, Report
from transforms.kafka.offsets import Partition
from transforms.kafka.times import EARLIEST_SECONDS, MAX_AHEAD_SECONDS, to_timestamp

LONGEST_GAP_SECONDS = 60.0  # a slow bundle keeps a reader from asking for some time


class PartitionTime(msgspec.Struct):
    """What is known of one partition's time, in epoch seconds.

    `newest` is its newest event time. The broker confirmed from `caught_up_since` to
    `confirmed_at` that everything in it was read; both are None while records wait.
    """

    topic: str
    number: int
    newest: float = -math.inf
    caught_up_since: float | None = None
    confirmed_at: float | None = None
    finished: bool = False

    @property
    def partition(self) -> Partition:
        """Topic and number."""
        return self.topic, self.number

    def was_silent_for(self, seconds: float) -> bool:
        """Whether the broker confirmed a silence of that length."""
        if self.caught_up_since is None or self.confirmed_at is None:
            return False
        return self.confirmed_at - self.caught_up_since >= seconds

    def is_older_than(self, seconds: float) -> bool:
        """Whether the broker last confirmed the silence before that time."""
        return self.confirmed_at is not None and self.confirmed_at < seconds

    def confirm(self, now: float, asked_at: float) -> None:
        """Take note that nothing waits, and that the broker was last asked at `asked_at`.

        If it did not answer then, or nobody asked for long, records may have waited where they
        are made: that time does not count as silence.
        """
        if self.caught_up_since is None or self.confirmed_at is None:
            self.caught_up_since = now
        elif asked_at > self.confirmed_at or now - self.confirmed_at > LONGEST_GAP_SECONDS:
            self.caught_up_since += now - self.confirmed_at
        self.confirmed_at = now

    def end_silence(self) -> None:
        """Take note that there are records."""
        self.caught_up_since = self.confirmed_at = None


class PartitionTimes(msgspec.Struct):
    """State of the watermark that travels with the restriction, so that it outlives a worker."""

    partitions: tuple[PartitionTime, ...]
    watermark: float = -math.inf
    asked_at: float = -math.inf
    group: GroupTime | None = None  # where other readers share the group
    observed_at: float = -math.inf  # when records were last read


def slowest_watermark(
    partitions: Collection[PartitionTime],
    disorder_seconds: float,
    idle_seconds: float,
    group: GroupTime | None = None,
) -> float:
    """Watermark of partitions that are read together.

    It is the newest event time of the slowest partition, minus the disorder. Finished and silent
    partitions are set aside. Once all are silent, time goes on from the newest record of all at
    the pace of the clock, for as long as the broker confirms the silence; where other readers
    share the `group`, it goes on as far as these have come.
    """
    unfinished = [times for times in partitions if not times.finished]
    active = [times for times in unfinished if not times.was_silent_for(idle_seconds)]
    if active:
        return min(times.newest for times in active) - disorder_seconds
    if group is not None:
        return group.reached - disorder_seconds
    if not unfinished:
        return math.inf
    newest = max(times.newest for times in partitions)
    return newest - disorder_seconds + _silence_seconds(unfinished)


def _silence_seconds(silent: list[PartitionTime]) -> float:
    """How long the broker confirmed that no partition had anything to read."""
    since = max(times.caught_up_since or 0.0 for times in silent)
    until = min(times.confirmed_at or 0.0 for times in silent)
    return max(until - since, 0.0)


class PartitionWatermark(WatermarkEstimator):
    """Watermark estimator over all partitions of a reader; it never goes back.

    An empty poll proves nothing: `confirm` must be called with what the broker said. Records that
    were read since then move nothing while a partition is set aside: its own may wait by now.
    """

    def __init__(
        self,
        state: PartitionTimes,
        disorder_seconds: float,
        idle_seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._times = {
            times.partition: msgspec.structs.replace(times) for times in state.partitions
        }
        self._group = state.group and msgspec.structs.replace(state.group)
        self._disorder_seconds = disorder_seconds
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._watermark = state.watermark
        self._asked_at = state.asked_at
        self._observed_at = state.observed_at

    def observe(self, partition: Partition, event_times: Iterable[float | None]) -> None:
        """Take note of the events of a partition, which therefore is not silent.

        Records that state no likely time tell nothing: they neither move nor hold the watermark.
        """
        self._observed_at = self._clock()
        latest = self._observed_at + MAX_AHEAD_SECONDS
        stated = [t for t in event_times if t is not None and EARLIEST_SECONDS <= t <= latest]
        if stated:
            times = self._times[partition]
            # Of a clock that runs ahead ours is believed: nothing has happened later than now.
            times.newest = max(times.newest, min(max(stated), self._observed_at))
            times.end_silence()

    def join(self, partitions: Mapping[Partition, bool]) -> None:
        """Take note of new partitions, and of whether the broker said that they are empty.

        An empty one counts as silent at once: nothing was ever written that it could hold.
        """
        now = self._clock()
        for (topic, number), is_empty in partitions.items():
            times = PartitionTime(topic, number)
            if is_empty:
                times.caught_up_since, times.confirmed_at = now - self._idle_seconds, now
            self._times[topic, number] = times

    def is_to_confirm(self, every_seconds: float) -> bool:
        """Whether it is time to ask the broker again, or the watermark waits for its answer."""
        return self._clock() - self._asked_at >= every_seconds or self._is_in_doubt

    def confirm(self, caught_up: Iterable[Partition] | None) -> None:
        """Take note that the broker has nothing unread in these partitions, but in the others.

        None says that it did not answer: the silence then neither grows nor ends.
        """
        now, asked_at = self._clock(), self._asked_at
        self._asked_at = now
        if caught_up is None:
            return
        silent = set(caught_up)
        for partition, times in self._times.items():
            if partition in silent:
                times.confirm(now, asked_at)
            else:
                times.end_silence()

    def finish(self, partitions: Iterable[Partition]) -> None:
        """Set aside the partitions that were read to their end."""
        for partition in partitions:
            self._times[partition].finished = True

    def is_to_hear(self, every_seconds: float) -> bool:
        """Whether the others' reports are needed now, since all partitions here are silent."""
        if self._group is None or self._clock() - self._group.heard_at < every_seconds:
            return False
        return all(times.was_silent_for(self._idle_seconds) for times in self._times.values())

    def hear(self, others: Collection[Report] | None) -> None:
        """Take note of what the owners of all other partitions said; None is no answer."""
        assert self._group is not None, "only readers that share a group hear of others"
        now = self._clock()
        if others is None:
            self._group.heard_at = now
            return
        newest = max((times.newest for times in self._times.values()), default=-math.inf)
        self._group.hear(others, newest, now, LONGEST_GAP_SECONDS)

    def reports(self, run: str) -> dict[Partition, Report]:
        """What to tell the other readers of the group, once it is durable."""
        return {
            partition: Report(
                newest=None if math.isinf(times.newest) else times.newest,
                is_silent=times.was_silent_for(self._idle_seconds),
                run=run,
            )
            for partition, times in self._times.items()
        }

    def seconds(self) -> float:
        """The watermark in epoch seconds, minus infinity before the first record."""
        if self._is_in_doubt:
            return self._watermark
        reached = slowest_watermark(
            self._times.values(), self._disorder_seconds, self._idle_seconds, self._group
        )
        self._watermark = max(self._watermark, reached)
        return self._watermark

    def current_watermark(self) -> Timestamp:
        return to_timestamp(self.seconds())

    def get_estimator_state(self) -> PartitionTimes:
        copies = tuple(msgspec.structs.replace(times) for times in self._times.values())
        group = self._group and msgspec.structs.replace(self._group)
        return PartitionTimes(copies, self.seconds(), self._asked_at, group, self._observed_at)

    @property
    def _is_in_doubt(self) -> bool:
        """Whether records were read since the broker confirmed the silence of some partition."""
        return any(
            times.was_silent_for(self._idle_seconds) and times.is_older_than(self._observed_at)
            for times in self._times.values()
            if not times.finished
        )

    def observe_timestamp(self, timestamp: Timestamp) -> None:
        """Element timestamps say nothing: the reader reports partitions by `observe`."""
