"""The whole story on one screen: posts in, readings, trends, topics, alerts, dead letters out."""

from __future__ import annotations

from typing import NamedTuple

import apache_beam as beam
from apache_beam.pvalue import PBegin, PCollection

from pipelines.build import Stages
from schemas.records import Alert, Post, Reading, Rejection, Rollup, Topic, Trend


class Monitored(NamedTuple):
    """Everything that a run finds out."""

    posts: PCollection[Post]
    readings: PCollection[Reading]
    trends: PCollection[Trend]
    alerts: PCollection[Alert]
    topics: PCollection[Topic]
    rejections: PCollection[Rejection]
    rollups: PCollection[Rollup]


def monitor(start: PBegin | beam.Pipeline, stages: Stages) -> Monitored:
    """Follow posts from the source to alerts; the only place that knows the order of stages."""
    deliveries = start | "Ingest" >> stages.ingest  # -> Delivery
    decoded = deliveries | "Decode" >> stages.decode  # -> (Delivery, SourcePost)
    cleaned = decoded.posts | "Clean" >> stages.clean  # -> (Delivery, Post)
    unique = cleaned.posts | "DropDuplicates" >> stages.drop_duplicates  # -> (Delivery, Post)
    valid = unique.posts | "Validate" >> stages.validate  # -> (Delivery, Post)
    posts = valid.posts | "Attach" >> stages.attach  # -> Post
    readings = posts | "Read" >> stages.read  # -> Reading
    trends, tallies = readings | "AggregateTrends" >> stages.aggregate_trends  # -> Trend
    detected = trends | "DetectAlerts" >> stages.detect_alerts  # -> Alert
    drifts = (readings, detected) | "WatchDrift" >> stages.watch_drift  # Reading -> metrics alone
    followed = (readings, drifts) | "FollowTopics" >> stages.follow_topics  # -> Topic, Alert
    alerts = (detected, followed.alerts) | "GatherAlerts" >> beam.Flatten()  # -> Alert
    rollups = (tallies, followed.topics) | "RollUp" >> stages.roll_up  # tallies -> Rollup
    rejections = (
        decoded.rejections,
        cleaned.rejections,
        valid.rejections,
    ) | "GatherRejections" >> beam.Flatten()  # -> Rejection
    return Monitored(posts, readings, trends, alerts, followed.topics, rejections, rollups)


def publish(found: Monitored, stages: Stages) -> None:
    """Send every record to each of its sinks."""
    for record, sinks in stages.sinks.items():
        for sink in sinks:
            _ = getattr(found, record) | f"Publish{record.title()}To{sink.name}" >> sink.transform
