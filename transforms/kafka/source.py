"""Kafka as a source in pure Python: each record once per checkpoint, in the time it happened."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import apache_beam as beam
from apache_beam.pvalue import PBegin, PCollection

from transforms.kafka.bundles import Reading
from transforms.kafka.cluster import Cluster, KafkaSettingsError
from transforms.kafka.connection import AT, connect
from transforms.kafka.metrics import NAMES, MetricNames
from transforms.kafka.reader import ReadForEver, ReadToStop, find_spans
from transforms.kafka.records import Build, MarkLate, as_record, element_type_of
from transforms.kafka.starts import (
    Start,
    Stop,
    check_stop_has_passed,
    parse_start,
    parse_stop,
)


def number_readers(impulse: bytes, readers: int) -> Iterator[bytes]:
    """One element for each reader: its number."""
    return (str(number).encode() for number in range(readers))


@dataclass
class ReadFromKafka(beam.PTransform):
    """Reads topics into elements that carry their event time.

    In: the pipeline's begin. Out: what `build` makes of each record, once per checkpoint of the
    runner; by default a `KafkaRecord`. The element's timestamp is its event time. The watermark
    follows the slowest partition, less `disorder_seconds`; partitions that the broker confirmed as
    silent for `idle_seconds` are set aside. docs/kafka-source.md has all of it.

    Attributes:
        cluster: the brokers and how to log in.
        topics: names of topics, which must exist.
        topic_pattern: a regular expression that must match a topic's whole name.
        group_id: under this name offsets are committed.
        start: `committed`, `earliest`, `latest`, a time with its zone, or
            `{topic: {partition: offset}}` for every partition.
        stop: None reads for ever; `end` (what is there at the start), a time or offsets bound it.
        build: makes an element and its event time, if it has one, of a record as kafka-python
            hands it over. It must be picklable and must not raise: a record that it cannot read is
            an element too. Only times that it gives move the watermark; without one an element
            gets Kafka's time. What it is annotated to return becomes the type of the output.
        mark_late: makes of an element one that says so, if the watermark has passed it by more
            than `allowed_lateness_seconds`; it then reaches every window's successor stages on
            time instead of being dropped. Without it late elements keep their own time.
        readers: how many restrictions hold the partitions between them. Prism, FnApiRunner and
            DirectRunner must have 1; Flink spreads more over its workers.
        max_records_per_bundle: bundles end there, or when nothing more waits. `sys.maxsize` with a
            `stop` reads all in one bundle, as runners need that do not stream.
        max_seconds_per_bundle: bundles end then too, so that results flow and checkpoints need
            not wait, whatever the stages behind take.
        discover_seconds: how often an endless reader looks for new topics and partitions.
    """

    cluster: Cluster
    topics: tuple[str, ...] = ()
    topic_pattern: str | None = None
    group_id: str = "moodwire"
    start: Start = "committed"
    stop: Stop = None
    build: Build[Any] = as_record
    mark_late: MarkLate[Any] | None = None
    disorder_seconds: float = 60.0
    allowed_lateness_seconds: float = 3600.0
    idle_seconds: float = 10.0
    discover_seconds: float = 30.0
    readers: int = 1
    max_records_per_bundle: int = 100_000
    max_seconds_per_bundle: float = 1.0
    metrics: MetricNames = NAMES
    run: str = field(default_factory=lambda: uuid4().hex[:8], init=False)

    def __post_init__(self) -> None:
        super().__init__()
        if not self.topics and not self.topic_pattern:
            raise KafkaSettingsError(f"{AT}.topics: name at least one topic, e.g. [posts]")
        check_pattern(self.topic_pattern)
        self.start = parse_start(self.start, f"{AT}.start")
        self.stop = parse_stop(self.stop, f"{AT}.stop")
        check_stop_has_passed(self.stop, datetime.now(UTC), f"{AT}.stop")
        if self.readers < 1:
            raise KafkaSettingsError(f"readers: {self.readers} read nothing. Give 1 or more")

    def expand(self, pbegin: PBegin) -> PCollection[Any]:
        """Wire one splittable reader, or several."""
        numbers = pbegin | "Start" >> beam.Impulse()
        if self.readers > 1:
            numbers = (
                numbers
                | "NumberReaders" >> beam.FlatMap(number_readers, self.readers)
                | "SpreadReaders" >> beam.Reshuffle()
            )
        reader = ReadForEver(self.reading) if self.stop is None else ReadToStop(self.reading)
        element_type = element_type_of(self.build)
        return numbers | "ReadPartitions" >> beam.ParDo(reader).with_output_types(element_type)

    def check(self) -> None:
        """Fail before a pipeline starts if this cannot be read.

        Raises:
            KafkaSettingsError: no broker answers or it refuses this client, a topic is missing,
                or `start` or `stop` does not fit what Kafka holds.
        """
        with connect(self.cluster, self.group_id) as consumer:
            find_spans(consumer, self.reading)

    @property
    def reading(self) -> Reading:
        """The settings that travel to the workers."""
        return Reading(**{part.name: getattr(self, part.name) for part in fields(Reading)})


def check_pattern(pattern: str | None) -> None:
    """Fail where a pattern is no regular expression.

    Raises:
        KafkaSettingsError: it is none.
    """
    try:
        re.compile(pattern or "")
    except re.error as error:
        raise KafkaSettingsError(
            f"{AT}.topic_pattern: {pattern!r} is no regular expression ({error})"
        ) from error
