"""Posts from Kafka: what Moodwire makes of a record that the Kafka source read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import msgspec

from schemas.metrics import KAFKA_LAG, POSTS_READ, SINK_RETRIES, WATERMARK
from schemas.records import Delivery, Position
from transforms.counters import NAMESPACE, sample_name
from transforms.ingest import EventTimeOf
from transforms.kafka.cluster import Cluster
from transforms.kafka.metrics import MetricNames
from transforms.kafka.source import ReadFromKafka

METRICS = MetricNames(
    namespace=NAMESPACE,
    records_read=sample_name(POSTS_READ),
    lag=sample_name(KAFKA_LAG),
    watermark=sample_name(WATERMARK),
    retries=sample_name(SINK_RETRIES, sink="kafka"),
)


def channel_of(record: Any) -> str | None:
    """The channel that a record's `channel` header names."""
    for name, value in record.headers or ():
        if name == "channel" and value:
            return str(value.decode("utf-8", "replace"))
    return None


@dataclass(frozen=True)
class BuildDelivery:
    """Makes a record's delivery, and finds the time that may move the watermark.

    Where the post states no time, the time at which Kafka took it stands in, but moves no
    watermark: one unreadable record in a replay of last year must not make all the rest late.
    """

    event_time_of: EventTimeOf | None = None

    def __call__(self, record: Any) -> tuple[Delivery, float | None]:
        value, channel, millis = record.value or b"", channel_of(record), record.timestamp
        stamp = None if millis is None or millis < 0 else millis / 1000
        stated = self.event_time_of(value, channel) if self.event_time_of else stamp
        if stated is not None and not math.isfinite(stated):
            stated = None
        delivery = Delivery(
            value=value,
            position=Position(record.topic, record.partition, record.offset),
            channel=channel,
            event_time=stamp if stated is None else stated,
        )
        return delivery, stated


def mark_late(delivery: Delivery) -> Delivery:
    """The same delivery, which says that it came too late."""
    return msgspec.structs.replace(delivery, too_late=True)


def read_posts(
    cluster: Cluster, event_time_of: EventTimeOf | None = None, **options: Any
) -> ReadFromKafka:
    """A Kafka source of deliveries; `options` are those of `ReadFromKafka`."""
    return ReadFromKafka(
        cluster,
        build=BuildDelivery(event_time_of),
        mark_late=mark_late,
        metrics=METRICS,
        **options,
    )
