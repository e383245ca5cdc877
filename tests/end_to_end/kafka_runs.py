"""What tests of whole Kafka runs share: jobs in their own processes, posts, what was read."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from deploy.flink.jars import resolve_job_server
from deploy.kafka.broker import Broker, resolve_jars
from deploy.processes import REPOSITORY
from pipelines.flink.engine import FLINK_VERSION
from pipelines.flink.job_server import find_job_server
from tests.end_to_end.loopback import only_loopback

NOON = 1_767_268_800  # 2026-01-01T12:00:00Z
DEADLINE_SECONDS = 120.0


def free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


@contextmanager
def running_broker(home: Path) -> Iterator[Broker]:
    """A broker on a network of its own, and what Flink needs, fetched before the network goes."""
    resolve_jars()
    resolve_job_server()
    with only_loopback():
        broker = Broker(home, *free_ports())
        broker.start()
        try:
            yield broker
        finally:
            broker.stop()


def prism() -> str:
    built = REPOSITORY / ".tools" / "prism"
    found = str(built) if built.exists() else shutil.which("prism")
    assert found, "Prism is not built: make prism"
    return found


def runner_arguments(runner: str) -> list[str]:
    if runner == "FnApiRunner":
        return ["--runner=FnApiRunner"]
    if runner == "FlinkRunner":
        return [
            *("--runner=FlinkRunner", f"--flink_version={FLINK_VERSION}", "--flink_master=[local]"),
            *(f"--flink_job_server_jar={find_job_server()}", "--environment_type=LOOPBACK"),
            *("--streaming", "--parallelism=4", "--checkpointing_interval=1000"),
            *("--finish_bundle_before_checkpointing", "--max_bundle_time_mills=100"),
        ]
    return ["--runner=PrismRunner", f"--prism_location={prism()}", "--environment_type=LOOPBACK"]


def produce(broker: Broker, topic: str, first: int, count: int) -> None:
    """Posts a second apart, up to 30 s out of order, spread over the partitions by chance."""
    chance = random.Random(first)
    numbers = sorted(range(first, first + count), key=lambda n: n + chance.uniform(0, 30))
    with producer_of(broker) as producer:
        for number in numbers:
            post = json.dumps({"n": number, "at": NOON + number}).encode()
            channel = ("channel", b"x" if number % 2 else b"reddit")
            producer.send(topic, value=post, partition=chance.randrange(4), headers=[channel])
        producer.flush()


@contextmanager
def producer_of(broker: Broker, **settings: Any) -> Iterator[Any]:
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap_servers, **settings)
    yield producer
    producer.close()


@contextmanager
def job(
    broker: Broker, topic: str, output: Path, *arguments: str, script: str = "kafka_job.py"
) -> Iterator[Any]:
    """A pipeline in its own process, so that a broker's end leaves nothing behind in this one."""
    places = [f"--kafka={broker.bootstrap_servers}", f"--topic={topic}", f"--output={output}"]
    with (output / "job.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / script), *places, *arguments],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        end_group(process)


def end_group(process: Any) -> None:
    """End the job and the runner that it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        process.wait()


def lines(path: Path) -> list[Any]:
    """The records of a file so far; a line that is being written is no record yet."""
    written = path.read_bytes() if path.exists() else b""
    return [json.loads(line) for line in written[: written.rfind(b"\n") + 1].splitlines()]


def succeed(process: Any, output: Path) -> None:
    assert process.wait(DEADLINE_SECONDS) == 0, (output / "job.log").read_text()[-3000:]


def until(ready: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not ready():
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.1)


def positions(output: Path) -> Counter[tuple[int, int]]:
    found = [line["position"] for line in lines(output / "deliveries.jsonl")]
    return Counter((place["partition"], place["offset"]) for place in found)


def end_offsets(broker: Broker, topic: str) -> dict[int, int]:
    with KafkaConsumer(bootstrap_servers=broker.bootstrap_servers) as consumer:
        ends = consumer.end_offsets([TopicPartition(topic, n) for n in range(4)])
    return {partition.partition: end for partition, end in ends.items()}


def everything_once(broker: Broker, topic: str) -> Counter[tuple[int, int]]:
    ends = end_offsets(broker, topic)
    return Counter((n, offset) for n, end in ends.items() for offset in range(end))


def write_numbers(broker: Broker, topic: str, output: Path, first: int, last: int) -> Any:
    numbers = [f"--first={first}", f"--last={last}", "--runner=FnApiRunner"]
    return job(broker, topic, output, *numbers, script="kafka_write_job.py")


def newest_by_key(broker: Broker, topic: str) -> tuple[int, dict[bytes, bytes]]:
    total = sum(end_offsets(broker, topic).values())
    with KafkaConsumer(
        topic, bootstrap_servers=broker.bootstrap_servers, auto_offset_reset="earliest"
    ) as consumer:
        read = [next(consumer) for _ in range(total)]
    return total, {record.key: record.value for record in read}
