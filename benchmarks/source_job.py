"""One measured pipeline in a process of its own: `python -m benchmarks.source_job --engine …`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from benchmarks.counting import CountAll
from benchmarks.dedupe_posts import as_post
from pipelines.flink.engine import Engine
from pipelines.flink.job_server import ConfiguredFlinkRunner
from pipelines.flink.settings import FlinkSettings
from pipelines.runners import choose_runner
from pipelines.worker import prepare_worker
from transforms.deduplicate import DropDuplicates
from transforms.kafka.cluster import Cluster
from transforms.kafka.source import ReadFromKafka

ENGINES = ("prism", "flink-local", "flink-cluster")


def parse(value: Any) -> Any:
    """What a consumer of JSON does first."""
    return json.loads(value)


def parse_record(record: Any) -> Any:
    """The same for our source's records."""
    return json.loads(record.value)


def parse_pair(pair: tuple[bytes, bytes]) -> Any:
    """The same for the keys and values of Beam's own source."""
    return json.loads(pair[1])


def build(pipeline: beam.Pipeline, job: argparse.Namespace) -> None:
    """Source, decoding, where asked our dedupe stage, and the count."""
    if job.beam_source:
        from benchmarks.beam_source import read_with_beam

        decoded = read_with_beam(pipeline, job) | "Parse" >> beam.Map(parse_pair)
    else:
        records = pipeline | "Read" >> ReadFromKafka(
            Cluster(job.kafka, client=job.client),
            topics=(job.topic,),
            group_id=job.group,
            start="earliest",
            readers=job.readers,
        )
        decoded = records | "Parse" >> beam.Map(parse_record)
    if job.dedupe:
        unique = (
            decoded
            | "AsPost" >> beam.Map(as_post)
            | "DropDuplicates" >> DropDuplicates(horizon_seconds=3600)
        )
        decoded = (unique.posts, unique.duplicates) | "Both" >> beam.Flatten()
    _ = decoded | "CountAll" >> beam.ParDo(CountAll(job.output))


def open_pipeline(job: argparse.Namespace, extra: list[str]) -> beam.Pipeline:
    """An empty pipeline on the engine that was asked for."""
    if job.engine == "prism":
        options = choose_runner("prism", tuple(extra)).options
        return beam.Pipeline(options=PipelineOptions(list(options)))
    is_local = job.engine == "flink-local"
    engine = Engine(
        FlinkSettings(
            master="local" if is_local else job.master,
            workers=job.workers,
            parallelism=job.parallelism,
            job_name=job.group,
            checkpoint_seconds=job.checkpoint_seconds,
            bundle_milliseconds=100,
            bundle_posts=1000,
            folder=str(Path(job.output).with_name(f"{Path(job.output).name}-flink")),
            rest_port=job.rest_port,
        )
    )
    runner = ConfiguredFlinkRunner(engine.write_configuration(None))
    return beam.Pipeline(runner, PipelineOptions([*engine.options(None), *extra]))


def read_arguments() -> tuple[argparse.Namespace, list[str]]:
    """Ours, and what is Beam's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, required=True)
    for name in ("kafka", "topic", "group", "output"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--client", default="kafka-python")
    parser.add_argument("--readers", type=int, default=1)
    parser.add_argument("--parallelism", type=int, default=1)
    parser.add_argument("--checkpoint-seconds", type=float, default=2.0)
    parser.add_argument("--master", default="127.0.0.1:8081")
    parser.add_argument("--workers")
    parser.add_argument("--rest-port", type=int, default=8382)
    parser.add_argument("--dedupe", action="store_true")
    parser.add_argument("--beam-source", action="store_true")
    parser.add_argument("--expansion-service")
    return parser.parse_known_args()


def main() -> None:
    """Run until the parent has seen enough and ends this process."""
    job, extra = read_arguments()
    prepare_worker()  # with Prism and a local Flink this process is the worker
    pipeline = open_pipeline(job, extra)
    build(pipeline, job)
    pipeline.run().wait_until_finish()


if __name__ == "__main__":
    main()
