"""Puts recorded posts on a Kafka topic, as a channel's collector would."""

from __future__ import annotations

import base64
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from kafka.errors import KafkaError

from schemas.records import Delivery
from transforms.channels.registry import event_time_of, read_source_post
from transforms.ingest import Line, Pace, deliver, find_files, read_lines
from transforms.kafka.cluster import Cluster, KafkaUnreachableError
from transforms.kafka.producers import open_producer, require_topic
from transforms.refusals import Refused

IMAGES = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png", ".webp": "webp", ".gif": "gif"}
WAITING_RECORDS = 2_000  # sent and not yet acknowledged; bounds what is held in memory
CLOSE_SECONDS = 30


@dataclass(frozen=True)
class Fed:
    """One record for the topic and the event time that its post states."""

    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]
    event_time: float | None


def read_feed(path: str | Path, channel: str | None = None) -> Iterator[Fed]:
    """Every line of the files at `path` as a record; images beside the file travel inside it.

    The key is channel and post id, so that redeliveries share a partition; a line that is no post
    has none and travels all the same.

    Raises:
        NoInputError: there are no such files.
    """
    for line in read_lines(find_files(path)):
        yield fed_from(line, channel)


def fed_from(line: Line, channel: str | None = None) -> Fed:
    """The record of one line."""
    delivery = deliver(line, channel, event_time_of)
    value = inline_images(delivery.value, Path(line.path).parent)
    headers = [("channel", delivery.channel.encode())] if delivery.channel else []
    return Fed(_key(delivery), value, headers, delivery.event_time)


def _key(delivery: Delivery) -> bytes | None:
    try:
        post = read_source_post(delivery)
    except Refused:
        return None
    return f"{post.channel}:{post.post_id}".encode()


def inline_images(value: bytes, root: Path) -> bytes:
    """`value` with each path of an image below `root` replaced by a `data:` URI of its bytes."""
    if not any(suffix.encode() in value for suffix in IMAGES):
        return value
    try:
        payload = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return value
    inlined = _inline(payload, root)
    return value if inlined == payload else msgspec.json.encode(inlined)


def _inline(value: Any, root: Path) -> Any:
    if isinstance(value, dict):
        return {name: _inline(item, root) for name, item in value.items()}
    if isinstance(value, list):
        return [_inline(item, root) for item in value]
    if isinstance(value, str) and (kind := IMAGES.get(Path(value).suffix.lower())):
        file = root / value
        if not Path(value).is_absolute() and ".." not in file.parts and file.is_file():
            return f"data:image/{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"
    return value


def feed(
    cluster: Cluster,
    topic: str,
    records: Iterator[Fed],
    stop: threading.Event,
    *,
    speed: float | None = None,
    rate: float | None = None,
    on_sent: Callable[[int], None] = lambda sent: None,
) -> int:
    """Send `records` in order until they or patience end; how many Kafka has acknowledged.

    `speed` is event time over clock time, `rate` records a second; without either, as fast as
    Kafka takes them.

    Raises:
        KafkaSettingsError: no broker answers, or it has no such topic.
        KafkaUnreachableError: Kafka took no record for half a minute.
    """
    require_topic(cluster, topic)
    producer, pace, started, sent = open_producer(cluster), Pace(speed), time.monotonic(), 0
    waiting: deque[Any] = deque()
    try:
        for record in records:
            due = sent / rate - (time.monotonic() - started) if rate else 0.0
            if stop.wait(max(due, pace.wait_seconds(record.event_time, time.monotonic()), 0.0)):
                break
            waiting.append(producer.send(topic, record.value, record.key, record.headers))
            sent += 1
            if len(waiting) > WAITING_RECORDS:
                waiting.popleft().get()
            on_sent(sent)
        producer.flush(timeout=CLOSE_SECONDS)
        for acknowledged in waiting:
            acknowledged.get(timeout=0)
    except KafkaError as error:
        raise KafkaUnreachableError(
            f"source.kafka.bootstrap_servers: {cluster.bootstrap_servers} stopped taking records "
            f"after {sent:,} ({error}). Feed again: redeliveries change nothing"
        ) from error
    finally:
        producer.close(timeout=CLOSE_SECONDS)
    return sent
