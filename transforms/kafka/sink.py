"""Records to Kafka under their keys, so that whatever is written again overwrites itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import apache_beam as beam
from apache_beam.pvalue import PCollection

from transforms.kafka.cluster import Cluster
from transforms.kafka.producers import PRODUCERS, Message, deliver

T = TypeVar("T")

MAX_WAITING_RECORDS = 5_000
MAX_WAITING_BYTES = 8 << 20


class _Write(beam.DoFn):
    """Lets messages wait up to a bound and holds the bundle until Kafka has them all."""

    def __init__(
        self,
        cluster: Cluster,
        topic: str,
        key_of: Callable[[Any], bytes],
        encode: Callable[[Any], bytes],
    ) -> None:
        self._place = cluster, topic
        self._key_of = key_of
        self._encode = encode

    def setup(self) -> None:
        PRODUCERS.join(self._place[0])

    def teardown(self) -> None:
        PRODUCERS.leave(self._place[0])

    def start_bundle(self) -> None:
        self._waiting: list[Message] = []
        self._bytes = 0

    def process(self, record: Any) -> None:
        message = Message(self._key_of(record), self._encode(record))
        self._waiting.append(message)
        self._bytes += len(message.key) + len(message.value)
        if len(self._waiting) >= MAX_WAITING_RECORDS or self._bytes >= MAX_WAITING_BYTES:
            self.finish_bundle()

    def finish_bundle(self) -> None:
        if self._waiting:
            deliver(*self._place, self._waiting)
        self.start_bundle()


@dataclass
class WriteToKafka(beam.PTransform, Generic[T]):
    """Writes records to a topic under their keys.

    In: records. Out: nothing. A bundle ends once all replicas have its records, in their order; it
    is held while the broker is away. A retried bundle writes the same keys and values again, so
    keys must name what a record is about, and a compacted topic then holds each once.
    """

    cluster: Cluster
    topic: str
    key_of: Callable[[T], bytes]
    encode: Callable[[T], bytes]

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, records: PCollection[T]) -> PCollection[None]:
        """Send bundle by bundle."""
        return records | "SendRecords" >> beam.ParDo(
            _Write(self.cluster, self.topic, self.key_of, self.encode)
        )
