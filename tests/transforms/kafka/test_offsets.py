"""Facts about the restriction that holds all partitions."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.kafka.offsets import OffsetsTracker, Spans, reader_of, spans_between
from transforms.kafka.structs import MessagePackCoder

STARTS = {("posts", 0): 5, ("posts", 1): 0}
STOPS = {("posts", 0): 10, ("posts", 1): 4}


def a_tracker(bounded: bool = True) -> OffsetsTracker:
    return OffsetsTracker(spans_between(STARTS, STOPS if bounded else None))


def test_checkpoint_leaves_exactly_what_was_not_claimed() -> None:
    tracker = a_tracker()
    tracker.try_claim({("posts", 0): 7, ("posts", 1): 1})

    split = tracker.try_split(0)

    assert split is not None
    assert split[0] == spans_between(STARTS, {("posts", 0): 7, ("posts", 1): 1})
    assert split[1] == spans_between({("posts", 0): 7, ("posts", 1): 1}, STOPS)
    assert tracker.check_done()


def test_nothing_can_be_claimed_after_a_checkpoint() -> None:
    tracker = a_tracker(bounded=False)
    tracker.try_split(0)

    assert not tracker.try_claim({("posts", 0): 6})
    assert tracker.try_split(0) is None


@pytest.mark.parametrize("fraction", [0.1, 0.5, 1.0, float("nan")])
def test_fractions_are_refused(fraction: float) -> None:
    assert a_tracker().try_split(fraction) is None


def test_a_claim_may_name_some_partitions_but_never_go_back() -> None:
    tracker = a_tracker()
    tracker.try_claim({("posts", 1): 3})

    with pytest.raises(ValueError, match="never go back"):
        tracker.try_claim({("posts", 1): 2})


def test_unread_offsets_are_not_taken_for_done() -> None:
    tracker = a_tracker()
    tracker.try_claim({("posts", 0): 10})

    with pytest.raises(ValueError, match="unread"):
        tracker.check_done()

    tracker.try_claim(STOPS)
    assert tracker.check_done()
    assert tracker.try_split(0) is None


def test_progress_is_a_number_whatever_the_range() -> None:
    empty = OffsetsTracker(spans_between(STARTS, STARTS))
    half = a_tracker()
    half.try_claim({("posts", 0): 9, ("posts", 1): 0})
    work = half.current_progress().completed_work, half.current_progress().remaining_work

    assert empty.current_progress().fraction_completed == 0
    assert half.current_progress().fraction_completed == pytest.approx(4 / 9)
    assert work == (4, 5)


def test_backlog_of_an_endless_range_is_what_the_broker_holds_beyond_it() -> None:
    tracker = OffsetsTracker(spans_between(STARTS), {("posts", 0): 105, ("other", 0): 9})
    tracker.try_claim({("posts", 0): 25})
    progress = tracker.current_progress()

    assert (progress.completed_work, progress.remaining_work) == (20, 80)
    assert progress.fraction_completed == 0
    assert a_tracker(bounded=False).current_progress().remaining_work == 0


def test_new_partition_joins_where_it_is_first_claimed_and_stays_in_the_remainder() -> None:
    tracker = a_tracker(bounded=False)
    tracker.try_claim({("posts", 0): 7})
    tracker.try_claim({("posts", 2): 3})

    split = tracker.try_split(0)

    assert split is not None
    assert split[0].starts == {**STARTS, ("posts", 2): 3}
    assert split[0].stops == split[1].starts == {("posts", 0): 7, ("posts", 1): 0, ("posts", 2): 3}
    assert split[1].is_endless and tracker.check_done()


def test_no_partition_joins_a_bounded_restriction() -> None:
    with pytest.raises(ValueError, match="endless"):
        a_tracker().try_claim({("posts", 2): 0})


def test_reader_without_partitions_lives_on_and_takes_in_the_first() -> None:
    tracker = OffsetsTracker(spans_between({}))

    split = tracker.try_split(0)

    assert split is not None and split[1] == spans_between({})
    assert OffsetsTracker(spans_between({}, {})).check_done()
    assert OffsetsTracker(split[1]).try_claim({("posts", 0): 0})


@given(st.text(), st.integers(1, 64), st.integers(1, 12))
def test_shares_of_a_topic_differ_by_one_at_most_and_stay_when_it_grows(
    topic: str, partitions: int, readers: int
) -> None:
    owners = Counter(reader_of((topic, number), readers) for number in range(partitions))

    sizes = [owners[reader] for reader in range(readers)]
    assert sum(sizes) == partitions and max(sizes) - min(sizes) <= 1


def test_an_end_before_the_start_means_nothing_to_read() -> None:
    spans = spans_between({("posts", 0): 5}, {("posts", 0): 3})

    assert spans.unread == {}
    assert OffsetsTracker(spans).check_done()


def test_restriction_travels_between_workers() -> None:
    coder = MessagePackCoder(Spans)
    spans = spans_between(STARTS)

    assert coder.decode(coder.encode(spans)) == spans
    assert spans.is_endless and not OffsetsTracker(spans).is_bounded()
