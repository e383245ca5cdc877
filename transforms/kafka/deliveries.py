"""What a Kafka record says: its bytes, its channel and the time of its post."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec
from apache_beam.transforms.window import TimestampedValue

from schemas.records import Delivery, Position
from transforms.kafka.partition_times import to_timestamp
from transforms.watermark import is_plausible, is_too_late

EventTimeOf = Callable[[bytes, str | None], float | None]


def channel_of(record: Any) -> str | None:
    """The channel that a record's `channel` header names."""
    for name, value in record.headers or ():
        if name == "channel" and value:
            return str(value.decode("utf-8", "replace"))
    return None


def deliver(record: Any, event_time_of: EventTimeOf | None) -> tuple[Delivery, float | None]:
    """A record's delivery, and the time that may move the watermark.

    Where the post states no time, the time at which Kafka took it stands in, but moves no
    watermark: one unreadable record in a replay of last year must not make all the rest late.
    """
    value, channel = record.value or b"", channel_of(record)
    stamp = record.timestamp / 1000 if (record.timestamp or -1) >= 0 else None
    stated = event_time_of(value, channel) if event_time_of else stamp
    stated = stated if stated is not None and math.isfinite(stated) else None
    position = Position(record.topic, record.partition, record.offset)
    event_time = stamp if stated is None else stated
    return Delivery(value=value, position=position, channel=channel, event_time=event_time), stated


def stamp(delivery: Delivery, watermark: float, allowed_seconds: float, now: float) -> Any:
    """A delivery at its event time, or at the watermark if it is too late or has no likely time.

    It is too late by the watermark from before its poll, which is the one that the runner knows.
    """
    if is_too_late(delivery.event_time, watermark, allowed_seconds):
        late = msgspec.structs.replace(delivery, too_late=True)
        return TimestampedValue(late, to_timestamp(watermark))
    if delivery.event_time is None or not is_plausible(delivery.event_time, now):
        return TimestampedValue(delivery, to_timestamp(watermark))
    return TimestampedValue(delivery, to_timestamp(delivery.event_time))
