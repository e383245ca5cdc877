"""Facts about what a Kafka record says."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from apache_beam.utils.timestamp import MIN_TIMESTAMP, Timestamp

from schemas.records import Delivery, Position
from transforms.kafka.cluster import Cluster, KafkaSettingsError
from transforms.kafka.deliveries import deliver, stamp
from transforms.kafka.producers import pauses
from transforms.kafka.source import ReadFromKafka

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
    delivery, time = deliver(a_record(), None)

    assert delivery == Delivery(
        value=b"{}", position=Position("posts", 3, 41), channel="reddit", event_time=NOON
    )
    assert time == NOON


def test_time_that_a_post_states_comes_before_that_of_its_record() -> None:
    delivery, time = deliver(a_record(value=b"1700000000", headers=None), stated)

    assert (delivery.event_time, time, delivery.channel) == (1_700_000_000.0, 1_700_000_000.0, None)


def test_record_time_stands_in_for_an_unreadable_post_but_moves_no_watermark() -> None:
    delivery, time = deliver(a_record(value=b"not a post"), stated)

    assert (delivery.event_time, time) == (NOON, None)


def test_tombstone_and_record_without_time_are_delivered() -> None:
    delivery, time = deliver(a_record(value=None, timestamp=-1), stated)

    assert (delivery.value, delivery.event_time, time) == (b"", None, None)


def test_late_post_is_marked_only_past_the_allowed_lateness() -> None:
    late, in_time = (deliver(a_record(timestamp=t * 1000), None)[0] for t in (99, 100))

    marked = stamp(late, 200.0, 100.0, NOON)
    kept = stamp(in_time, 200.0, 100.0, NOON)

    assert marked.value.too_late and marked.timestamp == Timestamp.of(200)
    assert not kept.value.too_late


def test_unlikely_time_gives_the_element_the_time_of_the_watermark() -> None:
    delivery, _ = deliver(a_record(value=b"9999999999999"), stated)

    assert stamp(delivery, NOON, 0.0, NOON).timestamp == Timestamp.of(NOON)
    assert stamp(delivery, float("-inf"), 0.0, NOON).timestamp == MIN_TIMESTAMP


def test_pauses_double_up_to_a_bound_and_vary() -> None:
    waits = pauses(jitter=lambda: 0.0)
    shorter = pauses(jitter=lambda: 1.0)

    assert [pause for pause, _ in zip(waits, range(6), strict=False)][-2:] == [3.2, 5.0]
    assert next(iter(shorter)) == 0.1


def test_reader_without_topics_or_with_an_unknown_start_is_refused_by_name() -> None:
    with pytest.raises(KafkaSettingsError, match=r"source\.kafka\.topics"):
        ReadFromKafka(Cluster("127.0.0.1:9092"), ())
    with pytest.raises(KafkaSettingsError, match=r"source\.kafka\.start: 'newest'"):
        ReadFromKafka(Cluster("127.0.0.1:9092"), ("posts",), start="newest")  # type: ignore[arg-type]
