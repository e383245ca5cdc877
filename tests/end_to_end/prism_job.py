"""Counts elements per key on Prism in a slow, stateful step: PRISM OUTPUT whole|cut."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.coders import VarIntCoder
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec, TimerSpec, on_timer
from apache_beam.utils.timestamp import Timestamp

from pipelines.whole_bundles import keep_bundles_whole

ELEMENTS, KEYS = 400, 8


class CountSlowly(beam.DoFn):
    """(key, n) -> (key, count) when all is read; a pause now and then looks like no progress."""

    COUNT = ReadModifyWriteStateSpec("count", VarIntCoder())
    END = TimerSpec("end", TimeDomain.WATERMARK)

    def process(
        self,
        element: tuple[str, int],
        count: Any = beam.DoFn.StateParam(COUNT),
        end: Any = beam.DoFn.TimerParam(END),
    ) -> None:
        time.sleep(0.01 if element[1] % 50 else 1.0)
        count.write((count.read() or 0) + 1)
        end.set(Timestamp(10_000))

    @on_timer(END)
    def tell(
        self, key: Any = beam.DoFn.KeyParam, count: Any = beam.DoFn.StateParam(COUNT)
    ) -> Iterator[tuple[str, int]]:
        yield key, count.read()


def main(prism: str, output: str, bundles: str) -> None:
    """Write one line a key: its name and its count."""
    if bundles == "whole":
        keep_bundles_whole()
    runner = ["--runner=PrismRunner", f"--prism_location={prism}", "--environment_type=LOOPBACK"]
    path = Path(output)
    path.touch()
    with beam.Pipeline(options=PipelineOptions([*runner, "--streaming"])) as pipeline:
        elements = [(f"key-{n % KEYS}", n) for n in range(ELEMENTS)]
        _ = (
            pipeline
            | beam.Create(elements, reshuffle=False)
            | beam.ParDo(CountSlowly())  # type: ignore[no-untyped-call]
            | beam.Map(append, path)
        )


def append(counted: tuple[str, int], path: Path) -> None:
    """Add a line."""
    with path.open("a", encoding="utf-8") as lines:
        lines.write(f"{counted[0]} {counted[1]}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
