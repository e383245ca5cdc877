"""Plays a recorded stream into a topic at its pace, however often the broker goes away."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

from tests.end_to_end.chaos.stream import Sent, Stream

FIRST = 8
CHUNK = 6  # a chunk is sent once the last one is there, so that no partition runs ahead
PATIENCE_SECONDS = 300.0
MAX_REQUEST_BYTES = 4 << 20


@dataclass
class Player:
    """A producer on a thread of its own.

    Attributes:
        rate: records a second; 0 sends as fast as Kafka takes them.
        sent: how many records are there by now.
        error: why it gave up.
        pause_at: how much of the stream is played before it waits for `resumed`.
        released: until this is set only the first few records are sent, which bring workers and
            models to life.
        resumed: set by whoever gave a `pause_at`.
    """

    servers: str
    topic: str
    stream: Stream
    rate: float = 0.0
    pause_at: float = math.inf
    sent: int = 0
    error: Exception | None = None
    done: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    resumed: threading.Event = field(default_factory=threading.Event)

    @property
    def share(self) -> float:
        """How much of the stream has been played."""
        return self.sent / len(self.stream.records)

    def start(self) -> None:
        """Play in the background."""
        threading.Thread(target=self._guarded, daemon=True).start()

    def play(self) -> None:
        """Send everything, then what closes the windows."""
        records, (first, last) = self.stream.records, self.stream.rush
        self._send(records[:FIRST], 0.0)
        self.released.wait()
        self._send(records[FIRST : first if last else None], self.rate)
        if last:
            self._send(records[first:last], 0.0)
            self._send(records[last:], self.rate)
        self._send(self.stream.closing, 0.0)

    def _guarded(self) -> None:
        try:
            self.play()
        except Exception as error:  # the main thread raises it
            self.error = error
        finally:
            self.done.set()

    def _send(self, records: Sequence[Sent], rate: float) -> None:
        producer = self._open()
        for first in range(0, len(records), CHUNK):
            if self.share >= self.pause_at:
                self.resumed.wait()
            due = time.monotonic() + (CHUNK / rate if rate else 0.0)
            rest: Sequence[Sent] = records[first : first + CHUNK]
            deadline = time.monotonic() + PATIENCE_SECONDS
            while rest:
                rest = self._try(producer, rest)
                if rest:  # a producer may not recover from what the broker lost
                    if time.monotonic() > deadline:
                        raise TimeoutError(f"{self.topic}: nothing taken for {PATIENCE_SECONDS} s")
                    producer.close(timeout=0)
                    producer = self._open()
            time.sleep(max(0.0, due - time.monotonic()))
        producer.close(timeout=10)

    def _try(self, producer: Any, records: Sequence[Sent]) -> Sequence[Sent]:
        """Send in order; what was not taken."""
        try:
            futures = [self._hand_over(producer, record) for record in records]
        except KafkaError:
            time.sleep(1)
            return records
        for number, future in enumerate(futures):
            try:
                future.get(timeout=PATIENCE_SECONDS)
            except KafkaError:
                time.sleep(1)
                return records[number:]
            self.sent += 1
        return ()

    def _hand_over(self, producer: Any, record: Sent) -> Any:
        return producer.send(
            self.topic,
            value=record.value,
            key=record.key,
            partition=record.partition,
            headers=list(record.headers),
        )

    def _open(self) -> Any:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return KafkaProducer(
                    bootstrap_servers=self.servers,
                    max_request_size=MAX_REQUEST_BYTES,
                    delivery_timeout_ms=int(PATIENCE_SECONDS * 1000),
                    max_block_ms=30_000,
                    reconnect_backoff_max_ms=1_000,
                )
            except KafkaError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)
