"""Facts about the watermark over partitions that may fall silent."""

from __future__ import annotations

import math
from dataclasses import dataclass

from apache_beam.utils.timestamp import MAX_TIMESTAMP, MIN_TIMESTAMP, Timestamp

from transforms.kafka.partition_times import PartitionTime, PartitionTimes, PartitionWatermark
from transforms.kafka.structs import MessagePackCoder

NOON = 1_767_268_800.0
BUSY, SLOW = ("posts", 0), ("posts", 1)
DISORDER = 60.0
IDLE = 10.0


@dataclass
class Clock:
    now: float = NOON

    def __call__(self) -> float:
        return self.now


def a_watermark(clock: Clock, state: PartitionTimes | None = None) -> PartitionWatermark:
    fresh = PartitionTimes((PartitionTime(*BUSY), PartitionTime(*SLOW)))
    return PartitionWatermark(state or fresh, DISORDER, IDLE, clock)


def be_silent(times: PartitionWatermark, clock: Clock, seconds: int, *partitions: object) -> None:
    for _ in range(seconds + 1):
        times.confirm(partitions)  # type: ignore[arg-type]
        clock.now += 1


def test_slowest_partition_sets_the_watermark() -> None:
    times = a_watermark(Clock())
    times.observe(BUSY, [NOON - 10])
    times.observe(SLOW, [NOON - 500, NOON - 700])

    assert times.seconds() == NOON - 500 - DISORDER


def test_a_clock_that_runs_ahead_moves_the_watermark_no_further_than_ours() -> None:
    clock = Clock()
    times = a_watermark(clock)
    times.observe(SLOW, [NOON, NOON + 590])
    times.observe(BUSY, [NOON + 590])

    assert times.seconds() == NOON - DISORDER

    clock.now += 300
    times.observe(BUSY, [NOON + 300])
    times.observe(SLOW, [NOON + 300])
    assert times.seconds() == NOON + 300 - DISORDER


def test_partition_without_posts_holds_the_watermark_until_it_is_known_to_be_silent() -> None:
    clock = Clock()
    times = a_watermark(clock)
    times.observe(BUSY, [NOON])

    assert times.current_watermark() == MIN_TIMESTAMP

    be_silent(times, clock, 10, SLOW)
    assert times.seconds() == NOON - DISORDER


def test_unconfirmed_silence_is_no_silence() -> None:
    clock = Clock()
    times = a_watermark(clock)
    times.observe(BUSY, [NOON])

    times.confirm([SLOW])
    clock.now += 3_600  # the broker was away
    times.confirm([SLOW])

    assert times.seconds() == -math.inf


def test_waiting_posts_end_the_silence() -> None:
    clock = Clock()
    times = a_watermark(clock)
    times.observe(BUSY, [NOON])
    be_silent(times, clock, 9, SLOW)

    times.confirm([])
    times.confirm([SLOW])

    assert times.seconds() == -math.inf


def test_records_read_after_a_silence_wait_for_those_of_the_others() -> None:
    clock = Clock()
    times = a_watermark(clock)
    for partition in (BUSY, SLOW):
        times.observe(partition, [NOON])
    be_silent(times, clock, 20, BUSY, SLOW)
    before = times.seconds()

    clock.now += 1_000
    times.observe(BUSY, [NOON + 1_000])  # what the others hold may be older
    assert times.seconds() == before
    assert times.is_to_confirm(3_600.0)
    moved = a_watermark(clock, times.get_estimator_state())
    assert moved.seconds() == before

    moved.confirm([])  # it is there, and unread
    assert moved.seconds() == before
    moved.observe(SLOW, [NOON + 500])
    assert moved.seconds() == NOON + 500 - DISORDER


def test_time_goes_on_with_the_clock_once_all_are_silent() -> None:
    clock = Clock()
    times = a_watermark(clock)
    times.observe(BUSY, [NOON - 1000])  # a replay: its posts are older than the clock
    times.observe(SLOW, [NOON - 2000])

    be_silent(times, clock, 100, BUSY, SLOW)

    assert times.seconds() == NOON - 1000 - DISORDER + 100


def test_watermark_never_goes_back_and_outlives_its_worker() -> None:
    clock = Clock()
    times = a_watermark(clock)
    times.observe(BUSY, [NOON])
    be_silent(times, clock, 10, SLOW)
    coder = MessagePackCoder(PartitionTimes)

    moved = a_watermark(clock, coder.decode(coder.encode(times.get_estimator_state())))
    moved.observe(SLOW, [NOON - 5_000])

    assert moved.seconds() == NOON - DISORDER
    assert moved.get_estimator_state().partitions[0].newest == NOON


def test_a_clock_in_2087_moves_nothing() -> None:
    times = a_watermark(Clock())
    times.observe(SLOW, [NOON, NOON + 60 * 365 * 86_400, None])
    times.observe(BUSY, [NOON])

    assert times.current_watermark() == Timestamp.of(NOON - DISORDER)


def test_finished_partitions_are_set_aside_and_all_finished_is_the_end_of_time() -> None:
    times = a_watermark(Clock())
    times.observe(BUSY, [NOON])
    times.finish([SLOW])

    assert times.seconds() == NOON - DISORDER

    times.finish([BUSY])
    assert times.current_watermark() == MAX_TIMESTAMP


def test_broker_is_asked_once_in_a_while() -> None:
    clock = Clock()
    times = a_watermark(clock)

    assert times.is_to_confirm(1.0)
    times.confirm([])
    assert not times.is_to_confirm(1.0)
    clock.now += 1
    assert times.is_to_confirm(1.0)


def test_broker_that_does_not_answer_neither_ends_a_silence_nor_prolongs_it() -> None:
    clock = Clock()
    times = a_watermark(clock)
    times.observe(BUSY, [NOON])
    be_silent(times, clock, 20, BUSY, SLOW)
    reached = times.seconds()

    for _ in range(3_600):
        times.confirm(None)
        clock.now += 1
    times.confirm([BUSY, SLOW])

    assert times.seconds() == reached

    be_silent(times, clock, 5, BUSY, SLOW)
    assert times.seconds() == reached + 5


def test_records_without_a_likely_time_neither_move_the_watermark_nor_hold_it() -> None:
    clock = Clock()
    times = a_watermark(clock)
    times.observe(BUSY, [NOON])
    for _ in range(11):
        times.observe(SLOW, [None, 5.0])
        times.confirm([SLOW])
        clock.now += 1

    assert times.seconds() == NOON - DISORDER


def test_new_empty_partition_holds_nothing_back_but_its_first_record_does() -> None:
    clock = Clock()
    times = a_watermark(clock)
    times.observe(BUSY, [NOON])
    times.observe(SLOW, [NOON])
    times.join({("posts", 2): True})

    assert times.seconds() == NOON - DISORDER

    clock.now += 500
    times.observe(("posts", 2), [NOON + 10])
    times.observe(BUSY, [NOON + 500])
    times.observe(SLOW, [NOON + 500])
    assert times.seconds() == NOON + 10 - DISORDER


def test_new_partition_with_records_holds_time_where_it_is_until_they_are_read() -> None:
    times = a_watermark(Clock())
    for partition in (BUSY, SLOW):
        times.observe(partition, [NOON])
    before = times.seconds()
    times.join({("posts", 2): False})
    for partition in (BUSY, SLOW):
        times.observe(partition, [NOON + 500])

    assert times.seconds() == before


def test_reader_that_is_kept_from_asking_by_slow_bundles_still_finds_silence() -> None:
    clock = Clock()
    times = a_watermark(clock)
    times.observe(BUSY, [NOON])
    for _ in range(2):
        times.confirm([SLOW])
        clock.now += 30

    assert times.seconds() == NOON - DISORDER
