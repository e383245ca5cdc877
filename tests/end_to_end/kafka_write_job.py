"""A pipeline that writes numbers to a Kafka topic, each under its last digit."""

from __future__ import annotations

import argparse

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from transforms.kafka.cluster import Cluster
from transforms.kafka.sink import WriteToKafka


def key_of(number: int) -> bytes:
    return str(number % 10).encode()


def encode(number: int) -> bytes:
    return str(number).encode()


def main() -> None:
    """Write the numbers from `first` up to `last`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kafka", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--output", help="unused; every job of the tests has one")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--last", type=int, required=True)
    parser.add_argument("--transactions", action="store_true")
    job, beam_arguments = parser.parse_known_args()
    with beam.Pipeline(options=PipelineOptions(beam_arguments)) as pipeline:
        (
            pipeline
            | beam.Create(range(job.first, job.last), reshuffle=False)
            | WriteToKafka(Cluster(job.kafka), job.topic, key_of, encode, job.transactions)
        )


if __name__ == "__main__":
    main()
