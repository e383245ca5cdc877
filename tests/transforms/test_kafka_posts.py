"""Facts about posts in Kafka records."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from schemas.records import Delivery, Position
from transforms.kafka.cluster import Cluster
from transforms.kafka_posts import BuildDelivery, mark_late, read_posts

NOON = 1_767_268_800.0


def a_record(**changes: Any) -> Any:
    plain: dict[str, Any] = {
        "topic": "posts",
        "partition": 3,
        "offset": 41,
        "timestamp": int(NOON * 1000),
        "value": b"{}",
        "headers": [("trace", b"1"), ("channel", b"reddit")],
    }
    return SimpleNamespace(**(plain | changes))


def stated(value: bytes, channel: str | None) -> float | None:
    return float(value) if value.isdigit() else None


def test_delivery_says_where_it_stood_and_what_it_holds() -> None:
    delivery, time = BuildDelivery()(a_record())

    assert delivery == Delivery(
        value=b"{}", position=Position("posts", 3, 41), channel="reddit", event_time=NOON
    )
    assert time == NOON


def test_time_that_a_post_states_comes_before_that_of_its_record() -> None:
    delivery, time = BuildDelivery(stated)(a_record(value=b"1700000000", headers=None))

    assert (delivery.event_time, time, delivery.channel) == (1_700_000_000.0, 1_700_000_000.0, None)


def test_record_time_stands_in_for_an_unreadable_post_but_moves_no_watermark() -> None:
    delivery, time = BuildDelivery(stated)(a_record(value=b"not a post"))

    assert (delivery.event_time, time) == (NOON, None)


@pytest.mark.parametrize(
    "odd",
    [
        {"value": None, "timestamp": -1},
        {"value": None, "timestamp": None, "headers": []},
        {"value": b"", "timestamp": -9_000_000, "headers": [("channel", None)]},
    ],
)
def test_odd_records_are_delivered_without_a_time(odd: dict[str, Any]) -> None:
    delivery, time = BuildDelivery(stated)(a_record(**odd))

    assert (delivery.value, delivery.event_time, time) == (b"", None, None)


def test_channel_that_is_not_text_and_a_time_that_is_no_number_stop_nothing() -> None:
    delivery, time = BuildDelivery(lambda *_: float("nan"))(
        a_record(headers=[("channel", b"\xff\xfe")])
    )

    assert (delivery.channel, time, delivery.event_time) == ("\ufffd\ufffd", None, NOON)


def test_source_of_posts_yields_deliveries_under_moodwires_metrics() -> None:
    source = read_posts(Cluster("127.0.0.1:1"), stated, topics=("posts",))

    assert source.metrics.lag == "moodwire_kafka_lag_records"
    assert mark_late(BuildDelivery()(a_record())[0]).too_late
