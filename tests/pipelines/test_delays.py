"""Facts about delays: what counts, once, and how counting goes on after a restart."""

from __future__ import annotations

from typing import Any

import pytest
from kafka import OffsetAndMetadata
from msgspec.structs import replace

from dashboards.live.histograms import Histogram, taken_up
from pipelines.delays import KINDS, first_place, opening_in, post_in, window_in
from schemas.metrics import READING_DELAY
from schemas.records import Slice, encode
from tests.builders import a_reading, at
from tests.dashboards.incidents import an_alert
from tests.dashboards.run_folder import a_trend
from tests.dashboards.story import DAY, Moment

CALM = Moment(posts=20, valence=0.2, image_share=0.3)
READINGS, ALERTS = KINDS["readings"], KINDS["alerts"]


def test_a_post_counts_from_the_time_that_it_states() -> None:
    found = post_in(encode(a_reading(post_id="7", created_at=at(40))))

    assert found.at == at(40).timestamp()
    assert found.labels == {"channel": "x", "post_id": "7"}


def test_a_window_counts_from_its_end_by_its_on_time_trend_alone() -> None:
    trend = a_trend("Nova", DAY, CALM, timing="on_time")
    found = window_in(encode(trend))

    assert found is not None and found.at == trend.window_end.timestamp()
    assert window_in(encode(a_trend("Nova", DAY, CALM, timing="late"))) is None
    assert window_in(encode(replace(trend, slice=Slice(channel="x")))) is None


def test_an_alert_counts_from_the_newest_window_that_it_rests_on() -> None:
    alert = an_alert("a1", "Nova")
    found = opening_in(encode(alert))

    assert found is not None and (found.name, found.at) == ("a1", alert.updated_at.timestamp())
    assert opening_in(encode(replace(alert, status="resolved"))) is None
    assert opening_in(encode(replace(alert, final=True))) is None


def counted(*seconds: float) -> Histogram:
    histogram = Histogram(READING_DELAY)
    for value in seconds:
        histogram.observe(value, 0.0, {})
    return histogram


def commit(offset: int, *seconds: float) -> Any:
    return OffsetAndMetadata(offset, counted(*seconds).as_text(), -1)


def test_counting_goes_on_where_it_was_committed() -> None:
    place = first_place(commit(7, 0.2, 61.0), first=0, end=10, kind=READINGS)

    assert (place.next, place.counts_from) == (7, 7)
    assert place.histogram.counts == counted(0.2, 61.0).counts
    assert place.histogram.seconds == pytest.approx(61.2)


def test_what_retention_dropped_is_passed_over() -> None:
    assert first_place(commit(7), first=9, end=12, kind=READINGS).next == 9
    assert first_place(commit(7), first=0, end=3, kind=READINGS).next == 3  # a new topic


def test_without_a_commit_counting_begins_at_the_end() -> None:
    place = first_place(None, first=0, end=10, kind=READINGS)

    assert (place.next, sum(place.histogram.counts)) == (10, 0)


def test_alerts_are_read_from_the_beginning_to_know_which_are_new() -> None:
    place = first_place(commit(7), first=2, end=10, kind=ALERTS)

    assert (place.next, place.counts_from) == (2, 7)


@pytest.mark.parametrize("text", ["", "{}", '{"buckets":[1.0],"counts":[5,5],"milliseconds":1}'])
def test_counts_in_other_buckets_are_begun_anew(text: str) -> None:
    assert sum(taken_up(READING_DELAY, text).counts) == 0


def test_a_commit_holds_what_was_counted_however_much_it_is() -> None:
    histogram = counted()
    histogram.counts = [10**12] * len(histogram.counts)

    assert len(histogram.as_text()) < 4_096  # Kafka's offset.metadata.max.bytes
