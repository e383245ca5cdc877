"""Read topics for as long as a process lives, through outages of Kafka."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

from kafka.errors import KafkaError

from transforms.kafka.cluster import Cluster, KafkaUnreachableError
from transforms.kafka.connection import connect
from transforms.publish import pauses

LOG = logging.getLogger(__name__)
POLL_MS = 500


def keep_reading(
    cluster: Cluster,
    group: str,
    stop: threading.Event,
    begin: Callable[[Any], None],
    read_some: Callable[[Any], None],
    *,
    end: Callable[[Any], None] = lambda consumer: None,
) -> None:
    """Read until `stop` is set.

    Args:
        cluster: where the topics are.
        group: of the consumer.
        stop: ends it, within a poll.
        begin: takes a consumer to where reading begins, or goes on after an outage.
        read_some: one poll, and what is done with it.
        end: called once at the end with the consumer.
    """
    waits = pauses()
    while not stop.is_set():
        try:
            with closing(connect(cluster, group, "sinks.kafka")) as consumer:
                begin(consumer)
                while not stop.is_set():
                    read_some(consumer)
                    waits = pauses()
                return end(consumer)
        except (KafkaUnreachableError, KafkaError, OSError) as error:
            pause = next(waits)
            LOG.warning("the topics are away (%s); next attempt in %.1f s", error, pause)
            stop.wait(pause)
