"""How far event time has come over all partitions, of which some may have fallen silent."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterable

import msgspec
from apache_beam.io.iobase import WatermarkEstimator
from apache_beam.utils.timestamp import MAX_TIMESTAMP, MIN_TIMESTAMP, Timestamp

from transforms.kafka.offsets import Partition
from transforms.watermark import BoundedDisorder


class PartitionTime(msgspec.Struct):
    """What is known of one partition's time, in epoch seconds.

    `newest` is its newest event time. The broker confirmed from `caught_up_since` to
    `confirmed_at` that everything in it was read; both are None while posts wait.
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


class PartitionTimes(msgspec.Struct):
    """State of the watermark that travels with the restriction, so that it outlives a worker."""

    partitions: tuple[PartitionTime, ...]
    watermark: float = -math.inf
    asked_at: float = -math.inf


def slowest_watermark(
    partitions: Collection[PartitionTime], disorder_seconds: float, idle_seconds: float
) -> float:
    """Watermark of partitions that are read together.

    It is the newest event time of the slowest partition, minus the disorder. Finished and silent
    partitions are set aside. Once all are silent, time goes on from the newest post of all at the
    pace of the clock, for as long as the broker confirms the silence.
    """
    unfinished = [times for times in partitions if not times.finished]
    active = [times for times in unfinished if not times.was_silent_for(idle_seconds)]
    if active:
        return min(times.newest for times in active) - disorder_seconds
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

    An empty poll proves nothing: `confirm` must be called with what the broker said.
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
        self._disorder_seconds = disorder_seconds
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._watermark = state.watermark
        self._asked_at = state.asked_at

    def observe(self, partition: Partition, event_times: Iterable[float | None]) -> None:
        """Take note of the posts of a partition, which therefore is not silent."""
        times = self._times[partition]
        newest = BoundedDisorder(self._disorder_seconds, times.newest, self._clock)
        for event_time in event_times:
            newest.observe(event_time)
        times.newest = newest.newest
        times.caught_up_since = times.confirmed_at = None

    def is_to_confirm(self, every_seconds: float) -> bool:
        """Whether it is time to ask the broker again."""
        return self._clock() - self._asked_at >= every_seconds

    def confirm(self, caught_up: Iterable[Partition]) -> None:
        """Take note that the broker has nothing unread in these partitions, but in the others."""
        now = self._asked_at = self._clock()
        silent = set(caught_up)
        for partition, times in self._times.items():
            if partition not in silent:
                times.caught_up_since = times.confirmed_at = None
                continue
            if self._was_unwatched(times, now):
                times.caught_up_since = now
            times.confirmed_at = now

    def finish(self, partitions: Iterable[Partition]) -> None:
        """Set aside the partitions that were read to their end."""
        for partition in partitions:
            self._times[partition].finished = True

    def seconds(self) -> float:
        """The watermark in epoch seconds, minus infinity before the first post."""
        reached = slowest_watermark(
            self._times.values(), self._disorder_seconds, self._idle_seconds
        )
        self._watermark = max(self._watermark, reached)
        return self._watermark

    def current_watermark(self) -> Timestamp:
        return to_timestamp(self.seconds())

    def get_estimator_state(self) -> PartitionTimes:
        copies = tuple(msgspec.structs.replace(times) for times in self._times.values())
        return PartitionTimes(copies, self.seconds(), self._asked_at)

    def observe_timestamp(self, timestamp: Timestamp) -> None:
        """Element timestamps say nothing: the reader reports partitions by `observe`."""

    def _was_unwatched(self, times: PartitionTime, now: float) -> bool:
        """Whether nobody asked the broker for so long that posts may have come and waited."""
        return times.confirmed_at is None or now - times.confirmed_at > self._idle_seconds


def to_timestamp(seconds: float) -> Timestamp:
    """Epoch seconds as Beam's timestamp, held within its range."""
    if seconds <= MIN_TIMESTAMP.micros / 1e6:
        return MIN_TIMESTAMP
    if seconds >= MAX_TIMESTAMP.micros / 1e6:
        return MAX_TIMESTAMP
    return Timestamp.of(seconds)
