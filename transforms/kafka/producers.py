"""Messages to Kafka: in order, acknowledged by every replica, however long a broker is away."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, NamedTuple

from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import ConfigResource
from kafka.errors import (
    AuthorizationError,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)

from transforms.kafka.access import ANSWER_MS, open_client
from transforms.kafka.cluster import Cluster, KafkaSettingsError, KafkaUnreachableError
from transforms.kafka.metrics import NAMES, MetricNames

LOG = logging.getLogger(__name__)
HOPELESS = (  # no number of attempts helps
    AuthorizationError,
    InvalidTopicError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)
MAX_REQUEST_BYTES = 16 << 20
USUAL_LARGEST_BYTES = 1_048_588  # of a topic that nobody has set it for
OVERHEAD_BYTES = 512  # what Kafka adds to a record of its own
DELIVERY_MS = 30_000  # an attempt that takes longer is repeated
CLOSE_SECONDS = 1.0  # a sender that gives up does so at once
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0


class Message(NamedTuple):
    """What Kafka stores of a record; `short` makes its value where that is too large for it."""

    key: bytes
    value: bytes
    short: Callable[[], bytes] | None = None

    def fitted(self, largest_bytes: int) -> Message:
        """This message, or its short form where that is needed and there is one."""
        size = len(self.key) + len(self.value) + OVERHEAD_BYTES
        if self.short is None or size <= largest_bytes:
            return self
        return Message(self.key, self.short())


def send_all(producer: Any, topic: str, messages: Iterable[Message]) -> None:
    """Send `messages` in order and return once every replica has them.

    Raises:
        kafka.errors.KafkaError: some were not taken, or nobody answered in time.
    """
    sent = [producer.send(topic, key=m.key, value=m.value) for m in messages]
    producer.flush(timeout=DELIVERY_MS / 1000)
    for future in sent:
        future.get(timeout=0)


def require_topic(cluster: Cluster, topic: str) -> None:
    """Fail if there is no such topic.

    Raises:
        KafkaSettingsError: the broker answers and has no such topic.
        KafkaUnreachableError, kafka.errors.KafkaError: no broker answers.
    """
    with open_client(KafkaAdminClient, cluster, "sinks.kafka") as admin:
        present = admin.list_topics()
    if topic not in present:
        raise KafkaSettingsError(
            f"sinks.kafka.topic_prefix: there is no topic {topic!r} at "
            f"{cluster.bootstrap_servers} (there are: {', '.join(sorted(present)) or 'none'}). "
            "Create it (python -m deploy.kafka.topics create) or correct the prefix"
        )


def largest_message(cluster: Cluster, topic: str) -> int:
    """How many bytes of a message `topic` takes; the usual limit where we may not ask.

    Raises:
        KafkaUnreachableError: no broker answers.
    """
    name = "max.message.bytes"
    try:
        with open_client(KafkaAdminClient, cluster, "sinks.kafka") as admin:
            told = admin.describe_configs([ConfigResource("TOPIC", topic)], config_filter="all")
        return min(int(told["topic"][topic][name]["value"]), MAX_REQUEST_BYTES)
    except (AuthorizationError, KeyError, TypeError):
        return USUAL_LARGEST_BYTES


def pauses(jitter: Callable[[], float] = random.random) -> Iterable[float]:
    """Endless waits between attempts: doubling up to 5 s, each with up to half of itself off."""
    pause = FIRST_PAUSE_SECONDS
    while True:
        yield pause * (1 - jitter() / 2)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


class Producers:
    """One idempotent producer for each cluster, shared by the threads of this worker."""

    def __init__(self) -> None:
        self._open: dict[Cluster, Any] = {}
        self._topics: set[tuple[Cluster, str]] = set()
        self._largest: dict[tuple[Cluster, str], int] = {}
        self._users: Counter[Cluster] = Counter()
        self._lock = threading.Lock()

    def join(self, cluster: Cluster) -> None:
        """Say that one more writer will use the cluster's producer."""
        with self._lock:
            self._users[cluster] += 1

    def leave(self, cluster: Cluster) -> None:
        """Say that a writer is done; the last one closes the producer."""
        with self._lock:
            self._users[cluster] -= 1
            is_last = self._users[cluster] <= 0
        if is_last:
            self.drop(cluster)

    def producer_for(self, cluster: Cluster, topic: str) -> Any:
        """The cluster's producer, once `topic` was seen there."""
        with self._lock:
            if (cluster, topic) not in self._topics:
                require_topic(cluster, topic)
                self._topics.add((cluster, topic))
            if cluster not in self._open:
                self._open[cluster] = open_producer(cluster)
            return self._open[cluster]

    def fit(self, cluster: Cluster, topic: str, messages: list[Message]) -> list[Message]:
        """`messages` as the topic takes them; it is asked once, where one has a short form."""
        if all(message.short is None for message in messages):
            return messages
        with self._lock:
            if (cluster, topic) not in self._largest:
                self._largest[cluster, topic] = largest_message(cluster, topic)
            largest = self._largest[cluster, topic]
        return [message.fitted(largest) for message in messages]

    def drop(self, cluster: Cluster) -> None:
        """Start afresh at the next attempt: a producer may not recover, a topic may be gone."""
        with self._lock:
            producer = self._open.pop(cluster, None)
            self._topics = {seen for seen in self._topics if seen[0] != cluster}
            self._largest = {at: size for at, size in self._largest.items() if at[0] != cluster}
        if producer is not None:
            let_go(producer)


def open_producer(cluster: Cluster, **settings: Any) -> Any:
    """A producer that writes each message once and in order, or says that it did not."""
    return open_client(
        KafkaProducer,
        cluster,
        "sinks.kafka",
        enable_idempotence=True,
        acks="all",
        max_block_ms=ANSWER_MS,
        request_timeout_ms=ANSWER_MS,
        delivery_timeout_ms=DELIVERY_MS,
        max_request_size=MAX_REQUEST_BYTES,
        linger_ms=5,
        allow_auto_create_topics=False,
        **settings,
    )


def let_go(producer: Any) -> None:
    """Close a producer at once; what it has not sent yet it forgets, and says so to who waits.

    kafka-python's `close` waits for its messages first, and raises where some are left.
    """
    producer._sender.force_close()
    producer._sender.join(CLOSE_SECONDS)
    with suppress(KafkaError):  # its thread was told, and ends once it looks
        producer.close(timeout=0)


PRODUCERS = Producers()


def deliver(
    cluster: Cluster, topic: str, messages: list[Message], names: MetricNames = NAMES
) -> None:
    """Write `messages`, however long the broker is away.

    All are sent again in their order if one failed, so that of two with one key the later one
    stands last.

    Raises:
        KafkaSettingsError: the topic does not exist.
        kafka.errors.KafkaError: the broker refuses a message for good, such as one too large.
    """
    for pause in pauses():
        try:
            producer = PRODUCERS.producer_for(cluster, topic)
            return send_all(producer, topic, PRODUCERS.fit(cluster, topic, messages))
        except HOPELESS:
            raise
        except (KafkaError, KafkaUnreachableError) as error:
            PRODUCERS.drop(cluster)
            names.count_retry()
            LOG.warning("%s is away (%s); next attempt in %.1f s", topic, error, pause)
            time.sleep(pause)
