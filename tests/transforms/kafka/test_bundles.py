"""Facts about where a bundle of the Kafka source ends."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from kafka import TopicPartition

from transforms.kafka import bundles
from transforms.kafka.bundles import Bundle
from transforms.kafka.cluster import Cluster
from transforms.kafka.consumers import Loan
from transforms.kafka.offsets import Offsets, OffsetsTracker, Spans, spans_between
from transforms.kafka.partition_times import PartitionTime, PartitionTimes, PartitionWatermark
from transforms.kafka.source import ReadFromKafka

PLACE = ("posts", 0)
STOP = 4


@dataclass
class SlowKafka:
    """A consumer whose broker has nothing at every other poll, or so."""

    offset: int = 0
    polls: int = 0
    empty_every: int = 2
    paused: list[Any] = field(default_factory=list)

    def poll(self, timeout_ms: int, max_records: int) -> dict[Any, list[Any]]:
        self.polls += 1
        if self.polls % self.empty_every == 0:
            return {}
        record = SimpleNamespace(
            topic="posts", partition=0, offset=self.offset, timestamp=1, key=None, value=b"",
            headers=(),
        )  # fmt: skip
        self.offset += 1
        return {TopicPartition(*PLACE): [record]}

    def position(self, partition: Any, timeout_ms: int | None = None) -> int:
        return self.offset

    def pause(self, *partitions: Any) -> None:
        self.paused += partitions

    def topics(self) -> set[str]:
        return {"posts"}

    def partitions_for_topic(self, topic: str) -> set[int]:
        return {0, 1}

    def beginning_offsets(self, partitions: Any) -> dict[Any, int]:
        return dict.fromkeys(partitions, 0)

    def end_offsets(self, partitions: Any, timeout_ms: int | None = None) -> dict[Any, int]:
        return dict.fromkeys(partitions, 5)

    def assign(self, partitions: Any) -> None: ...

    def seek(self, partition: Any, offset: int) -> None: ...


class SplitAtOnce(OffsetsTracker):
    """A tracker whose runner, on a thread of its own, splits as soon as something was claimed."""

    watermark: PartitionWatermark
    rest: Spans
    times: PartitionTimes

    def try_claim(self, position: Offsets) -> bool:
        claimed = super().try_claim(position)
        if (split := self.try_split(0)) is not None:
            self.rest, self.times = split[1], self.watermark.get_estimator_state()
        return claimed


def test_a_split_amid_a_discovery_hands_on_the_time_of_each_partition_that_it_hands_on() -> None:
    source = ReadFromKafka(Cluster("here:1"), topics=("posts",), discover_seconds=0)
    tracker = SplitAtOnce(spans_between({PLACE: 0}))
    tracker.watermark = PartitionWatermark(PartitionTimes((PartitionTime(*PLACE),)), 0, 10)
    bundle = Bundle(source.reading, 0, Loan(SlowKafka()), tracker, tracker.watermark)

    bundle.look_around()

    assert set(tracker.rest.starts) == {PLACE, ("posts", 1)}
    assert {times.partition for times in tracker.times.partitions} == set(tracker.rest.starts)


def a_bundle(most: int, stop: int | None = STOP, seconds: float = 60.0) -> Bundle:
    source = ReadFromKafka(
        Cluster("here:1"),
        topics=("posts",),
        max_records_per_bundle=most,
        max_seconds_per_bundle=seconds,
    )
    spans = spans_between({PLACE: 0}, None if stop is None else {PLACE: stop})
    times = PartitionTimes((PartitionTime(*PLACE),))
    watermark = PartitionWatermark(times, disorder_seconds=0, idle_seconds=10)
    return Bundle(source.reading, 0, Loan(SlowKafka()), OffsetsTracker(spans), watermark)


def test_a_bundle_ends_where_nothing_waits() -> None:
    bundle = a_bundle(most=1_000)

    assert len(list(bundle.elements())) == 1
    assert bundle.rest.unread == {PLACE: 1}


def test_a_reader_that_is_to_make_one_bundle_waits_for_all_of_it() -> None:
    bundle = a_bundle(most=sys.maxsize)

    assert len(list(bundle.elements())) == STOP
    assert bundle.rest.is_done


@pytest.mark.parametrize("most", [1, sys.maxsize])
def test_an_endless_reader_never_waits_for_all(most: int) -> None:
    bundle = a_bundle(most, stop=None)

    assert len(list(bundle.elements())) == 1


def test_a_bundle_ends_in_time_whatever_the_stages_behind_it_take(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(bundles, "time", SimpleNamespace(monotonic=lambda: clock.now))
    bundle = a_bundle(most=1_000, stop=None, seconds=5.0)
    bundle._loan.consumer.empty_every = sys.maxsize

    count = 0
    for _ in bundle.elements():
        count += 1
        clock.now += 2.0

    assert count == 3
    assert bundle.rest.unread == {PLACE: count}


def test_a_bundle_of_all_takes_its_time() -> None:
    bundle = a_bundle(most=sys.maxsize, seconds=0.0)

    assert len(list(bundle.elements())) == STOP
