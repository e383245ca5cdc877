"""Bundles as Kafka transactions: who reads committed records alone sees one whole or not at all."""

from __future__ import annotations

import logging
import time
import uuid
from typing import Any

from kafka.errors import KafkaError

from transforms.kafka.cluster import Cluster, KafkaUnreachableError
from transforms.kafka.metrics import NAMES, MetricNames
from transforms.kafka.producers import (
    HOPELESS,
    PRODUCERS,
    Message,
    let_go,
    open_producer,
    pauses,
    require_topic,
    send_all,
)

LOG = logging.getLogger(__name__)
# The broker aborts what a dead writer left open after this long; until then it holds back those
# who read committed records.
TRANSACTION_MS = 30_000
BACKOFF_MS = 5  # between transactions the broker is busy for a moment: 100 ms is far too long


class Transactions:
    """The transactions of one writer, one after the other, under an id of its own.

    A transaction that fails is aborted and written again from its first message, for as long as
    the broker is away. Where messages of an earlier call have left memory, the error is raised:
    the runner then repeats the bundle.
    """

    def __init__(self, cluster: Cluster, topic: str, names: MetricNames = NAMES) -> None:
        self._names = names
        self._cluster = cluster
        self._topic = topic
        self._id = f"moodwire-{topic}-{uuid.uuid4().hex}"
        self._producer: Any = None
        self._parts_sent = 0

    def send(self, messages: list[Message], ends: bool) -> None:
        """Send `messages` in the transaction that is open, or in a new one; `ends` commits it.

        Raises:
            KafkaSettingsError: the topic does not exist, or the brokers refuse this client.
            kafka.errors.KafkaError: the broker refuses a message for good, or was lost when
                earlier messages of the transaction could not be sent again.
        """
        for pause in pauses():
            try:
                return self._try(messages, ends)
            except HOPELESS:
                self.abort()
                raise
            except (KafkaError, KafkaUnreachableError) as error:
                is_whole = self._parts_sent == 0
                self.close()
                if not is_whole:
                    raise
                self._names.count_retry()
                LOG.warning("%s is away (%s); next attempt in %.1f s", self._topic, error, pause)
                time.sleep(pause)

    def abort(self) -> None:
        """Give up the open transaction, so that nobody waits for its end."""
        if self._parts_sent and self._producer is not None:
            try:
                self._producer.abort_transaction()
            except KafkaError as error:
                LOG.info("the broker will abort what is open of %s (%s)", self._topic, error)
        self.close()

    def _try(self, messages: list[Message], ends: bool) -> None:
        if self._producer is None:
            require_topic(self._cluster, self._topic)
            self._producer = open_producer(
                self._cluster,
                transactional_id=self._id,
                transaction_timeout_ms=TRANSACTION_MS,
                retry_backoff_ms=BACKOFF_MS,
            )
            self._producer.init_transactions()  # aborts what the last attempt left open
        if not self._parts_sent:
            self._producer.begin_transaction()
        fitted = PRODUCERS.fit(self._cluster, self._topic, messages)
        send_all(self._producer, self._topic, fitted)
        if ends:
            self._producer.commit_transaction()
        self._parts_sent = 0 if ends else self._parts_sent + 1

    def close(self) -> None:
        """Let the connection go; the broker itself aborts what is open."""
        producer, self._producer, self._parts_sent = self._producer, None, 0
        if producer is not None:
            let_go(producer)
