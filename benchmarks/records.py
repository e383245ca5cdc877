"""The records that are read: JSON of about a kilobyte, written once for all alternatives."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from kafka import KafkaProducer

TEXT_BYTES = 870  # with the fields around it a record of 1,024 bytes
LETTERS = "abcdefghijklmnopqrstuvwxyz      "


def one_kilobyte(count: int, seed: int = 4) -> Iterator[bytes]:
    """Posts with numbers, flags and a text, each of 1,024 bytes."""
    chance = random.Random(seed)
    text = "".join(chance.choices(LETTERS, k=TEXT_BYTES + 1_000))
    for number in range(count):
        start = chance.randrange(1_000)
        record = {
            "id": f"{number:09d}",
            "author": chance.randrange(10**6, 10**7),
            "created_at": 1_767_268_800 + number % 1_000,
            "lang": "en",
            "reach": 12.5,
            "tags": ["a", "b"],
            "text": text[start : start + TEXT_BYTES],
        }
        yield json.dumps(record).encode().ljust(1_024)


def small(numbers: Iterator[int]) -> Iterator[bytes]:
    """Records that hold an identity alone."""
    return (b'{"id": %d}' % number for number in numbers)


def write_all(servers: str, topic: str, values: Iterator[bytes], partitions: int) -> int:
    """Write `values` to the partitions in turn; their number."""
    try:
        return _write_fast(servers, topic, values, partitions)
    except ImportError:
        return _write(servers, topic, values, partitions)


def _write(servers: str, topic: str, values: Iterator[bytes], partitions: int) -> int:
    with KafkaProducer(bootstrap_servers=servers, linger_ms=20, batch_size=262_144) as producer:
        count = 0
        for count, value in enumerate(values, 1):
            producer.send(topic, value, partition=count % partitions)
        producer.flush()
    return count


def _write_fast(servers: str, topic: str, values: Iterator[bytes], partitions: int) -> int:
    from confluent_kafka import Producer

    producer: Any = Producer({"bootstrap.servers": servers, "linger.ms": 20, "acks": "all"})
    count = 0
    for count, value in enumerate(values, 1):
        while True:
            try:
                producer.produce(topic, value, partition=count % partitions)
                break
            except BufferError:
                producer.poll(0.1)
        if count % 1_000 == 0:
            producer.poll(0)
    producer.flush()
    return count
