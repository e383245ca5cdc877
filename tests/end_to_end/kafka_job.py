"""A small pipeline as users start it: posts of a Kafka topic to JSON lines, and counts a minute."""

from __future__ import annotations

import argparse
import ast
import json
from typing import Any

import apache_beam as beam
import msgspec
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms.window import FixedWindows
from apache_beam.utils.timestamp import Duration

from schemas.records import Delivery
from transforms.kafka.cluster import Cluster
from transforms.kafka_posts import read_posts
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


def place(text: str | None) -> Any:
    """Where to start or stop: a word, a time, or offsets as a literal of Python."""
    return ast.literal_eval(text) if text and text.startswith("{") else text


def main() -> None:
    """Run until the end of the topic, or for ever."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kafka", required=True)
    parser.add_argument("--topic", help="its name, or with --pattern a regular expression")
    parser.add_argument("--pattern", action="store_true")
    parser.add_argument("--output", required=True)
    parser.add_argument("--start", default="earliest")
    parser.add_argument("--stop")
    parser.add_argument("--readers", type=int, default=1)
    job, beam_arguments = parser.parse_known_args()
    with beam.Pipeline(options=PipelineOptions(beam_arguments)) as pipeline:
        deliveries = pipeline | "ReadFromKafka" >> read_posts(
            cluster=Cluster(job.kafka),
            topics=() if job.pattern else (job.topic,),
            topic_pattern=job.topic if job.pattern else None,
            group_id="test",
            start=place(job.start),
            stop=place(job.stop),
            event_time_of=time_of,
            disorder_seconds=60,
            idle_seconds=2,
            discover_seconds=1,
            readers=job.readers,
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
