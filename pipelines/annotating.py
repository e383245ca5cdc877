"""Every alert of the topic onto Grafana's charts, for as long as wanted."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from dashboards.grafana.board import TAG
from dashboards.grafana.client import Grafana
from dashboards.grafana.errors import GrafanaError
from dashboards.grafana.incidents import Done, annotate
from pipelines.topic_reading import POLL_MS, Progress, keep_reading, record_in
from schemas.records import Alert
from transforms.kafka.cluster import Cluster
from transforms.kafka.connection import connect, find_partitions, require_topics
from transforms.publish import pauses

LOG = logging.getLogger(__name__)
GROUP = "moodwire-annotations"  # commits nothing: what Grafana knows already is left as it is


@dataclass
class Annotating:
    """Reads the `alerts` topic from its beginning and annotates the newest state of each alert.

    Nothing is kept here: a restart finds in Grafana what it wrote there. A Grafana that is down is
    waited for.

    Attributes:
        cluster: where the topic is.
        topic: its name.
        grafana: who is told.
        page_url: where the live page is, for links.
        say: is told of each annotation that was made, changed or deleted.
    """

    cluster: Cluster
    topic: str
    grafana: Grafana
    page_url: str | None = None
    say: Callable[[Done, Alert], None] = lambda _done, _alert: None

    def __post_init__(self) -> None:
        self._progress = Progress()
        self._untold: dict[str, Alert] = {}

    def run(self, stop: threading.Event, once: bool = False) -> None:
        """Go on until `stop` is set; with `once`, to the end of the topic as it is now.

        Raises:
            KafkaUnreachableError: no broker answers.
            KafkaSettingsError: there is no such topic.
            GrafanaError: Grafana does not answer or refuses, at the start.
        """
        with closing(connect(self.cluster, GROUP, "sinks.kafka")) as consumer:
            require_topics(consumer, [self.topic], None)
        self.grafana.annotation(TAG)

        def read_some(consumer: Any) -> None:
            self._read_some(consumer, stop)
            if once and not self._untold and self._progress.is_at_end:
                stop.set()

        keep_reading(self.cluster, GROUP, stop, self._begin, read_some)

    def _begin(self, consumer: Any) -> None:
        self._progress.go_on(consumer, find_partitions(consumer, [self.topic]))

    def _read_some(self, consumer: Any, stop: threading.Event) -> None:
        """One poll. Nothing is told before the end was seen once: there may be newer states."""
        for records in consumer.poll(timeout_ms=POLL_MS).values():
            for record in records:
                place = f"{record.topic}-{record.partition}-{record.offset}"
                if (alert := record_in(record.value, Alert, place)) is not None:
                    self._untold[alert.alert_id] = replace(alert, evidence=(), signals=())
        self._progress.note(consumer)
        while self._untold and self._progress.is_at_end and not stop.is_set():
            self._tell(self._untold.pop(next(iter(self._untold))), stop)

    def _tell(self, alert: Alert, stop: threading.Event) -> None:
        for pause in pauses():
            try:
                done = annotate(self.grafana, alert, self.page_url)
            except GrafanaError as error:
                LOG.warning("%s; next attempt in %.1f s", error, pause)
                if stop.wait(pause):
                    return
            else:
                if done != "unchanged":
                    self.say(done, alert)
                return
