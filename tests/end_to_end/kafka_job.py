"""A small pipeline as users start it: posts of a Kafka topic to JSON lines, and counts a minute."""

from __future__ import annotations

import argparse
import json
from typing import Any

import apache_beam as beam
import msgspec
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms.window import FixedWindows
from apache_beam.utils.timestamp import Duration

from schemas.records import Delivery
from transforms.kafka.cluster import Cluster
from transforms.kafka.source import ReadFromKafka
from transforms.publish import WriteJsonLines


class Count(msgspec.Struct):
    """Posts of one channel in one minute."""

    channel: str
    minute: float
    posts: int


def time_of(value: bytes, channel: str | None) -> float | None:
    """The time that a post of the tests states."""
    try:
        return float(json.loads(value)["at"])
    except (ValueError, KeyError, TypeError):
        return None


def as_count(counted: tuple[str, int], window: Any = beam.DoFn.WindowParam) -> Count:
    return Count(counted[0], window.start.micros / 1e6, counted[1])


def channel_of(delivery: Delivery) -> str:
    return delivery.channel or "unknown"


def main() -> None:
    """Run until the end of the topic, or for ever."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kafka", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--output", required=True)
    parser.add_argument("--start", default="earliest")
    parser.add_argument("--stop-at-end", action="store_true")
    job, beam_arguments = parser.parse_known_args()
    with beam.Pipeline(options=PipelineOptions(beam_arguments)) as pipeline:
        deliveries = pipeline | ReadFromKafka(
            cluster=Cluster(job.kafka),
            topics=(job.topic,),
            group_id="test",
            start=job.start,
            stop_at_end=job.stop_at_end,
            event_time_of=time_of,
            disorder_seconds=60,
            idle_seconds=2,
            max_records_per_bundle=300,
        )
        deliveries | "Deliveries" >> WriteJsonLines(f"{job.output}/deliveries.jsonl")
        (
            deliveries
            | beam.WindowInto(FixedWindows(60), allowed_lateness=Duration(seconds=3600))
            | beam.Map(channel_of)
            | beam.combiners.Count.PerElement()
            | beam.Map(as_count)
            | "Counts" >> WriteJsonLines(f"{job.output}/counts.jsonl")
        )


if __name__ == "__main__":
    main()
