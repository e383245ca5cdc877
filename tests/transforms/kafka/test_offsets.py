"""Facts about the restriction that holds all partitions."""

from __future__ import annotations

import pytest

from transforms.coders import StructCoder
from transforms.kafka.offsets import OffsetsTracker, Spans, spans_between

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

    assert empty.current_progress().fraction_completed == 0
    assert a_tracker(bounded=False).current_progress().fraction_remaining == 1
    assert half.current_progress().fraction_completed == pytest.approx(4 / 9)


def test_an_end_before_the_start_means_nothing_to_read() -> None:
    spans = spans_between({("posts", 0): 5}, {("posts", 0): 3})

    assert spans.unread == {}
    assert OffsetsTracker(spans).check_done()


def test_restriction_travels_between_workers() -> None:
    coder = StructCoder(Spans)
    spans = spans_between(STARTS)

    assert coder.decode(coder.encode(spans)) == spans
    assert not spans.is_bounded
