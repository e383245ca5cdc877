"""Every way in which a delivery is no post has its name."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import a_delivery
from transforms.channels.payload import Limits
from transforms.channels.registry import ADAPTERS, event_time_of, read_source_post
from transforms.channels.timestamps import parse_timestamp
from transforms.refusals import Refused

LAUGHING_BILLION = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>
<item><title>&b;</title><guid>1</guid><pubDate>Wed, 11 Mar 2026 03:13:40 GMT</pubDate></item>"""

HUGE_REACH = b'{"post_id": "1", "text": "a", "created_at": 1773198820, "reach": 1%s}' % (b"0" * 30)


@pytest.mark.parametrize(
    ("value", "channel", "cause"),
    [
        (b"", None, "empty"),
        (b" \n ", None, "empty"),
        (b'{"post_id": "1", "te', None, "not_json"),
        (b"NaN", None, "not_json"),
        (b"[" * 100_000, None, "not_json"),
        (b'{"post_id": "\xff"}', None, "not_utf8"),
        (b'{"post_id": "1", "text": "\\ud83d", "created_at": 1}', None, "lone_surrogate"),
        (b'["a post?"]', None, "wrong_type"),
        (b'"a post?"', None, "wrong_type"),
        (b'{"post_id": "1", "text": 5, "created_at": 1773198820}', None, "wrong_type"),
        (b'{"post_id": "1", "text": "a", "images": "a.jpg"}', None, "wrong_type"),
        (b'{"post_id": "1", "created_at": 1773198820}', None, "missing_field"),
        (b'{"post_id": "1", "text": "a"}', None, "missing_field"),
        (b'{"post_id": " ", "text": "a", "created_at": 1773198820}', None, "no_id"),
        (b'{"post_id": null, "text": "a", "created_at": 1773198820}', None, "no_id"),
        (b'{"text": "a"}', "carrier-pigeon", "unknown_channel"),
        (b'{"text": "a", "channel": "carrier-pigeon"}', None, "unknown_channel"),
        (b'{"text": "a", "channel": 7}', None, "unknown_channel"),
        (b'{"post_id": "1", "text": "a", "channel": "{}"}', None, "unknown_channel"),
        (b'{"id": "1", "text": "a", "created_at": "yesterday"}', "x", "bad_timestamp"),
        (HUGE_REACH, None, "too_large"),
        (b"<item></item", "news", "missing_field"),
        (b"<rss><channel></channel></rss>", "news", "not_xml"),
        (b"<item>\xff</item>", "news", "not_utf8"),
        (b"<item x><title>&#x110000;</title></item>", "news", "not_xml"),
        (b"<item x><title>&#99999999999999;</title></item>", "news", "not_xml"),
        (b"<item><gml:pos/></item>", "news", "not_xml"),
        (LAUGHING_BILLION, "news", "unsafe_xml"),
    ],
)  # fmt: skip
def test_what_is_no_post_is_refused_by_name(value: bytes, channel: str | None, cause: str) -> None:
    with pytest.raises(Refused) as refused:
        read_source_post(a_delivery(value, channel=channel))

    assert (refused.value.stage, refused.value.cause) == ("decode", cause)


@pytest.mark.parametrize(
    ("created_at", "cause"),
    [
        ("Tue Mar 11 03: 13: 40 +0000 2014", "bad_timestamp"),
        ("2026-13-01T00:00:00Z", "bad_timestamp"),
        ("soon", "bad_timestamp"),
        (True, "bad_timestamp"),
        ([2026], "bad_timestamp"),
        (None, "missing_field"),
        ("", "missing_field"),
        ("1999-12-31T23:59:59Z", "clock_out_of_range"),
        ("2087-01-01T00:00:00Z", "clock_out_of_range"),
        (0, "clock_out_of_range"),
        (10**19, "clock_out_of_range"),
        (10**400, "clock_out_of_range"),
        ("9999999999999999999", "clock_out_of_range"),
    ],
)
def test_a_time_that_cannot_be_is_refused_and_moves_no_watermark(
    created_at: object, cause: str
) -> None:
    delivery = a_delivery({"created_at": created_at})

    with pytest.raises(Refused) as refused:
        read_source_post(delivery)
    assert refused.value.cause == cause
    assert event_time_of(delivery.value, None) is None


def test_a_post_may_be_a_day_ahead_of_the_clock_and_no_more() -> None:
    noon = datetime(2026, 3, 11, 12, tzinfo=UTC).timestamp()

    assert read_source_post(a_delivery({"created_at": "2026-03-12T12:00:00Z"}), now=noon)
    with pytest.raises(Refused, match="clock_out_of_range"):
        read_source_post(a_delivery({"created_at": "2026-03-12T12:00:01Z"}), now=noon)


@pytest.mark.parametrize(
    "written",
    [
        "2012-10-25T21:00:34Z",
        "2012-10-25T21:00:34",
        "2012-10-25T23:00:34+02:00",
        "2012-10-25T21:00:34+0000",
        "Thu Oct 25 21:00:34 +0000 2012",
        "Thu, 25 Oct 2012 21:00:34 GMT",
        "25 Oct 2012 17:00:34 -0400",
        1351198834,
        1351198834.0,
        1351198834000,
        "1351198834",
        "1351198834000",
    ],
)
def test_the_times_that_channels_write_are_read(written: object) -> None:
    assert parse_timestamp(written) == datetime(2012, 10, 25, 21, 0, 34, tzinfo=UTC)


def test_records_and_texts_have_a_largest_size() -> None:
    text = "ü" * 131_073

    with pytest.raises(Refused, match="too_large: text of 262146 bytes"):
        read_source_post(a_delivery({"text": text}))
    with pytest.raises(Refused, match="too_large: record of 1048577 bytes"):
        read_source_post(a_delivery(b" " * 1_048_577))
    roomy = Limits(max_text_bytes=2 * len(text))
    assert read_source_post(a_delivery({"text": text}), roomy).text == text


@pytest.mark.parametrize("field", ["post_id", "text", "author_id", "lang", "permalink"])
def test_null_bytes_are_refused_wherever_they_hide(field: str) -> None:
    with pytest.raises(Refused, match="null_byte"):
        read_source_post(a_delivery({field: "a\x00b"}))


def test_scoring_may_name_a_time_for_posts_without_one() -> None:
    undated = a_delivery(b'{"post_id": 1, "text": "a"}')
    dated = datetime(2020, 1, 1, tzinfo=UTC)

    assert read_source_post(undated, default_time=dated).created_at == dated
    assert read_source_post(a_delivery(), default_time=dated).created_at != dated


@given(st.binary(max_size=200), st.sampled_from([*ADAPTERS, None, "nobody"]))
def test_no_bytes_at_all_crash_a_reader(value: bytes, channel: str | None) -> None:
    assert event_time_of(value, channel) is None
    with pytest.raises(Refused):
        read_source_post(a_delivery(value, channel=channel))


leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
json_values = st.recursive(
    leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6
)
FIELDS = (
    "post_id id text created_at channel images author_id snippet data includes created_utc name "
    "title body timestamp caption children from created_time attachments create_time published"
)


@given(
    st.dictionaries(st.sampled_from(FIELDS.split()), json_values),
    st.sampled_from(sorted(set(ADAPTERS) - {"generic"})),
)
def test_no_json_at_all_crashes_a_reader(payload: dict[str, object], channel: str) -> None:
    delivery = a_delivery(payload, channel=channel)

    for value in (delivery.value, delivery.value.replace(b"post_id", b"other")):
        event_time_of(value, channel)
        with suppress(Refused):
            read_source_post(a_delivery(value, channel=channel))
