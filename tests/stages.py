"""Running one stage in tests, on any runner, and reading what came out in order."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any, TypeVar

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.test_stream import TestStream
from apache_beam.transforms.window import TimestampedValue

from schemas.records import Reading, Record, decode, encode
from transforms.coders import StructCoder

R = TypeVar("R", bound=Record)


def timestamped(readings: list[Reading]) -> list[Any]:
    """Readings with their event times."""
    return [TimestampedValue(r, r.created_at.timestamp()) for r in readings]


def bounded(readings: list[Reading]) -> Any:
    """A source of all readings at once."""
    return beam.Create(timestamped(readings), reshuffle=False)


def streamed(readings: list[Reading], delay: float = 0, step: int = 5, ends: bool = True) -> Any:
    """A source of readings in this order, its watermark `delay` seconds behind the newest."""
    stream: Any = TestStream(coder=StructCoder(Reading))
    watermark = 0
    for start in range(0, len(readings), step):
        chunk = timestamped(readings[start : start + step])
        stream = stream.add_elements(chunk)
        newest = math.floor(max(float(value.timestamp) for value in chunk) - delay)
        if newest > watermark:
            watermark = newest
            stream = stream.advance_watermark_to(watermark)
    return stream.advance_watermark_to_infinity() if ends else stream


def records_of(
    kind: type[R], source: Any, stage: beam.PTransform[Any, Any], runner: str, *arguments: str
) -> list[R]:
    """What `stage` makes of the readings of `source`, in the order it came out."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records.jsonl"
        path.touch()
        with beam.Pipeline(runner=runner, options=PipelineOptions(list(arguments))) as pipeline:
            readings = pipeline | source | "Typed" >> beam.Map(_same).with_output_types(Reading)
            _ = readings | "Stage" >> stage | "Note" >> beam.Map(_note, str(path))
        return [decode(line, kind) for line in path.read_bytes().splitlines()]


def _same(reading: Reading) -> Reading:
    return reading


def _note(record: Record, path: str) -> None:
    with open(path, "ab") as file:
        file.write(encode(record) + b"\n")
