"""Records to Kafka under their keys, so that whatever is written again overwrites itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

import apache_beam as beam
from apache_beam.pvalue import PCollection

from transforms.kafka.cluster import Cluster
from transforms.kafka.metrics import NAMES, MetricNames
from transforms.kafka.producers import PRODUCERS, Message, deliver
from transforms.kafka.transactions import Transactions

T = TypeVar("T")

MAX_WAITING_RECORDS = 5_000
MAX_WAITING_BYTES = 8 << 20


class Writer(Protocol):
    """Brings the messages of a bundle to a topic, in one part or several."""

    def send(self, messages: list[Message], ends: bool) -> None:
        """Return once Kafka has them; `ends` says that the bundle has no more."""

    def abort(self) -> None:
        """Forget what was sent of a bundle that did not end."""

    def close(self) -> None:
        """Let connections go."""


class _Plain:
    """Writes at once, through the producer that the writers of this worker share."""

    def __init__(self, cluster: Cluster, topic: str, names: MetricNames) -> None:
        self._cluster, self._topic, self._names = cluster, topic, names
        PRODUCERS.join(cluster)

    def send(self, messages: list[Message], ends: bool) -> None:
        deliver(self._cluster, self._topic, messages, self._names)

    def abort(self) -> None:
        """What was sent stays; the repeated bundle writes the same keys."""

    def close(self) -> None:
        PRODUCERS.leave(self._cluster)


class _Write(beam.DoFn):
    """Lets messages wait up to a bound and holds the bundle until Kafka has them all."""

    def __init__(
        self,
        writer: Callable[[], Writer],
        key_of: Callable[[Any], bytes],
        encode: Callable[[Any], bytes],
        shorten: Callable[[Any], Any] | None = None,
    ) -> None:
        self._open_writer = writer
        self._key_of = key_of
        self._encode = encode
        self._shorten = shorten

    def setup(self) -> None:
        self._writer = self._open_writer()

    def teardown(self) -> None:
        self._writer.close()

    def start_bundle(self) -> None:
        if getattr(self, "_is_begun", False):  # the last bundle failed elsewhere
            self._writer.abort()
        self._is_begun = False
        self._clear()

    def process(self, record: Any) -> None:
        short = None if self._shorten is None else partial(self._encode_short, record)
        message = Message(self._key_of(record), self._encode(record), short)
        self._waiting.append(message)
        self._bytes += len(message.key) + len(message.value)
        if len(self._waiting) >= MAX_WAITING_RECORDS or self._bytes >= MAX_WAITING_BYTES:
            self._is_begun = True
            self._writer.send(self._waiting, ends=False)
            self._clear()

    def _encode_short(self, record: Any) -> bytes:
        assert self._shorten is not None
        return self._encode(self._shorten(record))

    def finish_bundle(self) -> None:
        if self._waiting or self._is_begun:
            self._writer.send(self._waiting, ends=True)
        self._is_begun = False
        self._clear()

    def _clear(self) -> None:
        self._waiting: list[Message] = []
        self._bytes = 0


@dataclass
class WriteToKafka(beam.PTransform, Generic[T]):
    """Writes records to a topic under their keys.

    In: records. Out: nothing. A bundle ends once all replicas have its records, in their order; it
    is held while the broker is away. A retried bundle writes the same keys and values again, so
    keys must name what a record is about, and a compacted topic then holds each once. With
    `transactions` each bundle is one: consumers that read committed records alone see it whole or
    not at all (docs/decisions/0008-what-effectively-once-means-at-the-sinks.md).

    `shorten` makes a record smaller that is more than the topic takes (`max.message.bytes`);
    without it such a record fails its bundle again and again.
    """

    cluster: Cluster
    topic: str
    key_of: Callable[[T], bytes]
    encode: Callable[[T], bytes]
    transactions: bool = False
    metrics: MetricNames = NAMES
    shorten: Callable[[T], T] | None = None

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, records: PCollection[T]) -> PCollection[None]:
        """Send bundle by bundle."""
        return records | "SendRecords" >> beam.ParDo(self.writing())

    def writing(self) -> beam.DoFn:
        """What does the work on a worker."""
        kind = Transactions if self.transactions else _Plain
        writer = partial(kind, self.cluster, self.topic, self.metrics)
        return _Write(writer, self.key_of, self.encode, self.shorten)
