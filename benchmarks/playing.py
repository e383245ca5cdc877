"""A producer on a thread of its own that plays posts into a topic at a steady rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from kafka import KafkaProducer
from kafka.errors import KafkaError

from benchmarks.demo_stream import Played

TICK_SECONDS = 0.1


@dataclass
class Player:
    """Sends `posts` at `rate` a second until told to stop; it never catches up in a rush.

    Attributes:
        sent: how many records were handed to Kafka's client.
        event_time: of the newest of them.
        error: why it gave up, None while all is well.
    """

    servers: str
    topic: str
    posts: Iterator[Played]
    rate: float
    partitions: int = 4
    sent: int = 0
    event_time: float | None = None
    error: KafkaError | None = None
    stopped: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Play in the background."""
        self._thread = threading.Thread(target=self._play, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send what was begun and end."""
        self.stopped.set()
        self._thread.join(30)

    def rush(self, count: int) -> None:
        """Send `count` posts as fast as Kafka takes them, in this thread."""
        with self._open() as producer:
            for _ in range(count):
                self._send(producer)
            producer.flush()

    def _play(self) -> None:
        try:
            with self._open() as producer:
                due, owed = time.monotonic(), 0.0
                while not self.stopped.wait(max(0.0, due - time.monotonic())):
                    due = max(due + TICK_SECONDS, time.monotonic() - TICK_SECONDS)
                    owed += self.rate * TICK_SECONDS
                    for _ in range(int(owed)):
                        self._send(producer)
                    owed -= int(owed)
        except KafkaError as error:
            self.error = error

    def _open(self) -> Any:
        return KafkaProducer(
            bootstrap_servers=self.servers, linger_ms=5, max_request_size=4_000_000
        )

    def _send(self, producer: Any) -> None:
        post = next(self.posts)
        partition = crc32(post.value[:200]) % self.partitions
        producer.send(self.topic, post.value, partition=partition, headers=post.headers)
        self.sent += 1
        self.event_time = post.event_time or self.event_time
