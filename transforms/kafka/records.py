"""What a record of Kafka becomes in a pipeline, and its place in event time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec
from apache_beam import coders
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils import windowed_value
from apache_beam.utils.windowed_value import WindowedValue

from transforms.kafka.structs import MessagePackCoder
from transforms.kafka.times import EARLIEST_SECONDS, MAX_AHEAD_SECONDS, to_timestamp

T = TypeVar("T")
Build = Callable[[Any], tuple[T, float | None]]
MarkLate = Callable[[T], T]
GLOBAL = (GlobalWindow(),)  # given whole: Beam would look a window up for each element


class KafkaRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A record as Kafka holds it; `timestamp` is Kafka's, in milliseconds, -1 where it has none."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


coders.registry.register_coder(KafkaRecord, MessagePackCoder)


def as_record(record: Any) -> tuple[KafkaRecord, float | None]:
    """The record itself, at the time that Kafka holds for it."""
    at = record.timestamp if record.timestamp is not None else -1
    headers = tuple(record.headers or ())
    whole = KafkaRecord(
        record.topic, record.partition, record.offset, at, record.key, record.value, headers
    )
    return whole, at / 1000 if at >= 0 else None


def element_type_of(build: Build[Any]) -> Any:
    """The type of element that a builder's annotation says it returns, else Any."""
    call = build if hasattr(build, "__code__") else type(build).__call__
    try:
        returned = get_type_hints(call).get("return")
    except NameError:  # the annotation names what is known to type checkers alone
        return Any
    return next(iter(get_args(returned)), Any)


def stamp(
    records: Sequence[Any],
    built: Sequence[tuple[T, float | None]],
    watermark: float,
    allowed_lateness_seconds: float,
    mark_late: MarkLate[T] | None,
) -> Iterator[WindowedValue]:
    """Elements at their event time, else at Kafka's; without a likely time at the watermark.

    What is too late is marked, and held at the watermark too, so that no window drops it. It is
    too late by the watermark from before its poll, which is the one that the runner knows.
    """
    latest, oldest = time.time() + MAX_AHEAD_SECONDS, watermark - allowed_lateness_seconds
    here = to_timestamp(watermark).micros
    for record, (element, stated) in zip(records, built, strict=True):
        at = _kafka_seconds(record) if stated is None else stated
        if EARLIEST_SECONDS <= at <= latest and (at >= oldest or mark_late is None):
            yield windowed_value.create(element, int(at * 1e6), GLOBAL)
        elif mark_late is not None and at < oldest:
            yield windowed_value.create(mark_late(element), here, GLOBAL)
        else:
            yield windowed_value.create(element, here, GLOBAL)


def _kafka_seconds(record: Any) -> float:
    """Kafka's time of a record; without one a time that is neither likely nor late."""
    at = record.timestamp
    return at / 1000 if at is not None and at >= 0 else math.inf
