"""Posts from Kafka, read exactly once per checkpoint, with the event time that each post states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import apache_beam as beam
from apache_beam.pvalue import PBegin, PCollection

from schemas.records import Delivery
from transforms.kafka.cluster import Cluster, KafkaSettingsError
from transforms.kafka.connection import Start
from transforms.kafka.deliveries import EventTimeOf
from transforms.kafka.reader import ReadForEver, Reading, ReadToEnd


@dataclass
class ReadFromKafka(beam.PTransform):
    """Reads topics into deliveries that carry their event time.

    In: the pipeline's begin. Out: `Delivery`, each record once per checkpoint of the runner; the
    element's timestamp is its event time. The watermark follows the slowest partition, less
    `disorder_seconds`; partitions that the broker confirmed as silent for `idle_seconds` are set
    aside. Posts that it has passed by more than `allowed_lateness_seconds` come marked `too_late`.
    With `stop_at_end` the input is bounded by what was there at the start.

    Attributes:
        event_time_of: finds the time in a record's bytes, given its `channel` header. It must be
            picklable and return None rather than raise. Without it the record's own time counts.
    """

    cluster: Cluster
    topics: tuple[str, ...]
    group_id: str = "moodwire"
    start: Start = "committed"
    stop_at_end: bool = False
    event_time_of: EventTimeOf | None = None
    disorder_seconds: float = 60.0
    allowed_lateness_seconds: float = 3600.0
    idle_seconds: float = 10.0
    max_records_per_bundle: int = 2_000

    def __post_init__(self) -> None:
        super().__init__()
        if not self.topics:
            raise KafkaSettingsError("source.kafka.topics: name at least one topic, e.g. [posts]")
        if self.start not in get_args(Start):
            raise KafkaSettingsError(
                f"source.kafka.start: {self.start!r} is none of {', '.join(get_args(Start))}"
            )

    def expand(self, pbegin: PBegin) -> PCollection[Delivery]:
        reader = ReadToEnd(self.reading) if self.stop_at_end else ReadForEver(self.reading)
        return (
            pbegin
            | "Start" >> beam.Impulse()
            | "ReadPartitions" >> beam.ParDo(reader).with_output_types(Delivery)
        )

    @property
    def reading(self) -> Reading:
        """The settings that travel to the workers."""
        return Reading(**{name: getattr(self, name) for name in Reading.__dataclass_fields__})
