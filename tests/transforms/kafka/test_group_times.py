"""Facts about readers that share a group, played in one process with a clock of their own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.kafka.group_times import Commit, GroupTime, Report, read_report, read_reports
from transforms.kafka.offsets import Partition, reader_of
from transforms.kafka.partition_times import PartitionTime, PartitionTimes, PartitionWatermark

NOON = 1_767_268_800.0
DISORDER = 60.0
IDLE = 10.0
RUN = "run"


def a_commit(newest: float | None, is_silent: bool = False, run: str = RUN) -> Commit:
    return Commit(40, Report(newest, is_silent, run).as_text())


def test_report_travels_as_metadata_of_a_commit() -> None:
    report = read_report(a_commit(NOON, True), end=40, is_empty=False, run=RUN)

    assert report == Report(NOON, True, RUN)
    assert len(Report(NOON, True, "12345678").as_text()) < 100


def test_silence_ends_with_the_first_record_past_the_commit() -> None:
    report = read_report(a_commit(NOON, True), end=41, is_empty=False, run=RUN)

    assert report == Report(NOON, False, RUN)


@pytest.mark.parametrize(
    "commit", [None, Commit(40), Commit(40, "{nonsense"), a_commit(NOON, True, "yesterday")]
)
def test_owner_that_has_not_spoken_in_this_run_holds_the_others_unless_it_owns_nothing(
    commit: Commit | None,
) -> None:
    unknown = read_report(commit, end=40, is_empty=False, run=RUN)

    assert unknown is not None and unknown.seconds == -math.inf and not unknown.is_silent
    assert read_report(commit, end=40, is_empty=True, run=RUN) is None


def test_silent_reader_goes_as_far_as_the_slowest_that_is_not_silent() -> None:
    time = GroupTime()

    time.hear([Report(NOON), Report(NOON - 50), Report(NOON - 900, True)], NOON + 5, NOON, IDLE)

    assert time.reached == NOON - 50


def test_time_goes_on_with_the_clock_once_the_whole_group_is_silent() -> None:
    time = GroupTime()
    for second in range(31):
        time.hear([Report(NOON - 900, True)], NOON - 1000, NOON + second, IDLE)

    assert time.reached == NOON - 900 + 30

    time.hear([Report(NOON - 900, True)], NOON - 1000, NOON + 5_000, IDLE)  # nobody asked
    assert time.reached == NOON - 900 + 30


@dataclass
class Clock:
    now: float = NOON

    def __call__(self) -> float:
        return self.now


@dataclass
class Reader:
    """A reader of a simulated topic: what it read, what it committed, what it believes."""

    number: int
    partitions: list[Partition]
    watermark: PartitionWatermark
    read: dict[Partition, int] = field(default_factory=dict)
    pending: dict[Partition, Commit] = field(default_factory=dict)


@dataclass
class Topic:
    """Partitions of posts, readers of them, and what they committed."""

    readers_count: int
    partitions_count: int
    clock: Clock = field(default_factory=Clock)
    posts: dict[Partition, list[float]] = field(default_factory=dict)
    commits: dict[Partition, Commit | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        everything = [("posts", number) for number in range(self.partitions_count)]
        self.posts = {p: [] for p in everything}
        self.commits = dict.fromkeys(everything)
        self.readers = [self._reader(number) for number in range(self.readers_count)]

    def _reader(self, number: int) -> Reader:
        mine = [p for p in self.posts if reader_of(p, self.readers_count) == number]
        state = PartitionTimes(tuple(PartitionTime(*p) for p in mine), group=GroupTime())
        watermark = PartitionWatermark(state, DISORDER, IDLE, self.clock)
        return Reader(number, mine, watermark, dict.fromkeys(mine, 0))

    def turn(self, reader: Reader, on_read: Callable[[float, float], None]) -> None:
        """One bundle, as `Bundle` does it; its commit waits for the checkpoint."""
        before = reader.watermark.seconds()
        for partition in reader.partitions:
            new = self.posts[partition][reader.read[partition] :]
            for event_time in new:
                on_read(event_time, before)
            reader.watermark.observe(partition, new)
            reader.read[partition] += len(new)
        reader.watermark.confirm(reader.partitions)
        if reader.watermark.is_to_hear(1.0):
            others = {p: c for p, c in self.commits.items() if p not in reader.partitions}
            ends = {p: len(self.posts[p]) for p in others}
            reader.watermark.hear(read_reports(others, dict.fromkeys(others, 0), ends, RUN))
        reader.watermark.seconds()
        reports = reader.watermark.reports(RUN)
        reader.pending = {
            p: Commit(reader.read[p], reports[p].as_text()) for p in reader.partitions
        }

    def checkpoint(self, reader: Reader) -> None:
        """The runner has finished the reader's bundles."""
        self.commits.update(reader.pending)

    @property
    def seconds(self) -> float:
        """The watermark of the pipeline, which follows the slowest reader."""
        return min(reader.watermark.seconds() for reader in self.readers)


def ignore(event_time: float, watermark: float) -> None:
    """For turns whose posts are of no interest."""


def run_for(topic: Topic, seconds: int, *busy: int) -> None:
    for _ in range(seconds):
        topic.clock.now += 1
        for number in busy:
            topic.posts["posts", number].append(topic.clock.now)
        for reader in topic.readers:
            topic.turn(reader, ignore)
            topic.checkpoint(reader)


@pytest.mark.parametrize("readers", [2, 3, 4, 6])
def test_traffic_on_one_of_four_partitions_moves_all_readers_soon_after_the_idle_time(
    readers: int,
) -> None:
    topic = Topic(readers, 4)

    run_for(topic, int(IDLE) + 4, 0)

    assert topic.seconds >= topic.clock.now - DISORDER - 3


@pytest.mark.parametrize("readers", [2, 4])
def test_a_group_that_is_wholly_silent_goes_on_with_the_clock(readers: int) -> None:
    topic = Topic(readers, 4)
    run_for(topic, 20, 0, 1, 2, 3)
    reached = topic.seconds

    run_for(topic, 120)

    assert topic.clock.now - DISORDER - 2 * IDLE - 5 <= topic.seconds <= topic.clock.now - DISORDER
    assert topic.seconds > reached


def test_reader_that_stands_still_holds_the_silent_ones_where_it_durably_is() -> None:
    topic = Topic(2, 2)
    run_for(topic, 30, 0)
    owner = reader_of(("posts", 0), 2)
    stuck, silent = topic.readers[owner], topic.readers[1 - owner]
    durable = topic.posts["posts", 0][-1]

    for _ in range(100):  # its bundles go on, but no checkpoint is finished
        topic.clock.now += 1
        topic.posts["posts", 0].append(topic.clock.now)
        topic.turn(stuck, ignore)
        topic.turn(silent, ignore)

    assert silent.watermark.seconds() <= durable - DISORDER


posts_and_pauses = st.lists(
    st.tuples(
        st.sets(st.integers(0, 3)),  # partitions that get a post in this second
        st.floats(0, DISORDER),  # how old it is
        st.sets(st.integers(0, 3)),  # readers that stand still
        st.sets(st.integers(0, 3)),  # readers whose checkpoint is not finished
        st.integers(1, 15),  # seconds until the next turn
    ),
    max_size=60,
)


@settings(max_examples=200)
@given(st.integers(1, 4), posts_and_pauses)
def test_post_no_older_than_the_disorder_is_never_late_whoever_stands_still(
    readers: int, story: list[tuple[set[int], float, set[int], set[int], int]]
) -> None:
    topic, reached = Topic(readers, 4), -math.inf

    def is_in_time(event_time: float, watermark: float) -> None:
        assert event_time >= watermark  # that of its own reader, before it was read

    for numbers, age, still, unfinished, pause in story:
        topic.clock.now += pause
        for number in numbers:
            topic.posts["posts", number].append(topic.clock.now - age)
        for reader in topic.readers:
            if reader.number not in still:
                topic.turn(reader, is_in_time)
            if reader.number not in unfinished:
                topic.checkpoint(reader)
        assert reached <= topic.seconds <= topic.clock.now - DISORDER
        reached = topic.seconds
