"""Facts about what a Kafka record becomes, and where it stands in time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from apache_beam import coders
from apache_beam.utils.timestamp import MIN_TIMESTAMP, Timestamp

from transforms.kafka.records import KafkaRecord, as_record, element_type_of, stamp

NOON = 1_767_268_800.0


def a_record(at: float | None = NOON, **changes: Any) -> Any:
    plain: dict[str, Any] = {
        "topic": "posts",
        "partition": 3,
        "offset": 41,
        "timestamp": None if at is None else int(at * 1000),
        "key": b"k",
        "value": b"{}",
        "headers": [("trace", b"1"), ("empty", None)],
    }
    return SimpleNamespace(**(plain | changes))


def stamped(at: float | None, watermark: float, stated: float | None = None) -> Any:
    late = str.upper
    return next(stamp([a_record(at)], [("element", stated)], watermark, 100.0, late))


def test_record_keeps_all_that_kafka_holds_and_travels() -> None:
    record, time = as_record(a_record())
    coder = coders.registry.get_coder(KafkaRecord)

    headers = (("trace", b"1"), ("empty", None))
    assert record == KafkaRecord("posts", 3, 41, int(NOON * 1000), b"k", b"{}", headers)
    assert time == NOON
    assert coder.decode(coder.encode(record)) == record


def test_tombstone_without_time_or_headers_is_a_record_too() -> None:
    record, time = as_record(a_record(None, value=None, key=None, headers=()))

    assert (record.value, record.key, record.timestamp, time) == (None, None, -1, None)


def test_stated_time_comes_before_that_of_kafka() -> None:
    assert stamped(NOON, NOON - 10, stated=NOON - 60).timestamp == Timestamp.of(NOON - 60)
    assert stamped(NOON, NOON - 10).timestamp == Timestamp.of(NOON)


def test_only_what_is_past_the_allowed_lateness_is_marked_and_held_at_the_watermark() -> None:
    late, in_time = stamped(NOON - 101, NOON), stamped(NOON - 100, NOON)

    assert (late.value, late.timestamp) == ("ELEMENT", Timestamp.of(NOON))
    assert (in_time.value, in_time.timestamp) == ("element", Timestamp.of(NOON - 100))


def test_without_a_mark_late_elements_keep_their_own_time() -> None:
    late = next(stamp([a_record(NOON - 500)], [("element", None)], NOON, 100.0, None))

    assert (late.value, late.timestamp) == ("element", Timestamp.of(NOON - 500))


def test_unlikely_or_missing_time_gives_the_element_the_time_of_the_watermark() -> None:
    for at in (9_999_999_999.0, None, -1.0):
        assert stamped(at, NOON - 10, None).timestamp == Timestamp.of(NOON - 10)
        assert stamped(at, float("-inf")).timestamp == MIN_TIMESTAMP


def test_output_is_of_the_type_that_the_builder_names() -> None:
    def untyped(record):  # type: ignore[no-untyped-def]  # as users may write it
        return record.value, None

    class Named:
        def __call__(self, record: Any) -> tuple[bytes, float | None]:
            return record.value, None

    assert element_type_of(as_record) is KafkaRecord
    assert element_type_of(Named()) is bytes
    assert element_type_of(untyped) is Any
