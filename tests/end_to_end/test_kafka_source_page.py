"""The example on docs/kafka-source.md does what the page says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from kafka import KafkaConsumer

from deploy.kafka.broker import Broker
from deploy.kafka.topics import create_topics
from deploy.processes import REPOSITORY
from tests.end_to_end.kafka_runs import (
    NOON,
    job,
    producer_of,
    runner_arguments,
    running_broker,
    until,
)
from transforms.kafka.source import ReadFromKafka

PAGE = (REPOSITORY / "docs/kafka-source.md").read_text(encoding="utf-8")
CLICKS = {"clicks": {"num_partitions": 4}, "click-counts": {"num_partitions": 1}}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running_broker(tmp_path_factory.mktemp("kafka")) as broker:
        create_topics(broker.bootstrap_servers, CLICKS)
        yield broker


def counts(broker: Broker) -> set[tuple[str, int, int]]:
    """What the example has written so far: page, minute and clicks."""
    with KafkaConsumer(
        "click-counts", bootstrap_servers=broker.bootstrap_servers, auto_offset_reset="earliest"
    ) as consumer:
        found = consumer.poll(timeout_ms=2_000)
    written = [json.loads(record.value) for records in found.values() for record in records]
    return {(count["page"], count["minute"], count["clicks"]) for count in written}


def test_the_example_counts_clicks_and_stumbles_over_nothing(
    broker: Broker, tmp_path: Path
) -> None:
    script = tmp_path / "clicks.py"
    script.write_text(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0], encoding="utf-8")
    with producer_of(broker) as producer:
        for n in range(240):
            click = {"page": "home" if n % 4 else "help", "at": NOON + n}
            producer.send("clicks", json.dumps(click).encode(), partition=n % 3)
        producer.send("clicks", b"{broken", partition=3)

    pages = {"home": 45, "help": 15}
    expected = {(page, NOON + n, pages[page]) for page in pages for n in (0, 60, 120)}
    with job(broker, "clicks", tmp_path, *runner_arguments("PrismRunner"), script=str(script)):
        until(lambda: expected <= counts(broker), tmp_path / "job.log")


def test_the_page_lists_every_option() -> None:
    table = PAGE.partition("## Options of the source")[2].partition("**`build")[0]
    listed = {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row[:40])}

    options = {option.name for option in fields(ReadFromKafka) if option.init}
    assert options <= listed
