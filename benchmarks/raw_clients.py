"""Clients without a pipeline: consume and `json.loads`, nothing else; the measure for all others.

`python -m benchmarks.raw_clients kafka-python|confluent --kafka … --topic … --records N --output …`
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition

POLL_RECORDS = 2_000


def kafka_python(servers: str, topic: str) -> Iterator[list[bytes]]:
    """Values in polls, from the beginning on, with the settings that our source uses."""
    consumer = KafkaConsumer(
        bootstrap_servers=servers,
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
    )
    places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    while True:
        found = consumer.poll(timeout_ms=200, max_records=POLL_RECORDS)
        yield [record.value or b"" for records in found.values() for record in records]


def confluent(servers: str, topic: str) -> Iterator[list[bytes]]:
    """The same through librdkafka."""
    from confluent_kafka import OFFSET_BEGINNING, Consumer
    from confluent_kafka import TopicPartition as Place

    consumer = Consumer(
        {"bootstrap.servers": servers, "group.id": "raw", "enable.auto.commit": False}
    )
    partitions = consumer.list_topics(topic).topics[topic].partitions
    consumer.assign([Place(topic, number, OFFSET_BEGINNING) for number in partitions])
    while True:
        yield [message.value() or b"" for message in consumer.consume(POLL_RECORDS, 0.2)]


CLIENTS = {"kafka-python": kafka_python, "confluent": confluent}


def main() -> None:
    """Leave one note for each poll, as the pipelines' counting end does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("client", choices=CLIENTS)
    parser.add_argument("--kafka", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--records", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True)
    job = parser.parse_args()
    notes, seen = [], 0
    for values in CLIENTS[job.client](job.kafka, job.topic):
        if not values:
            continue
        first = time.time()
        for value in values:
            json.loads(value)
        seen += len(values)
        notes.append([first, time.time(), len(values), time.process_time(), os.getpid()])
        if seen >= job.records:
            break
    job.output.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(note) + "\n" for note in notes)
    (job.output / "raw.jsonl").write_text(text)
    os._exit(0)  # what is measured is over


if __name__ == "__main__":
    main()
