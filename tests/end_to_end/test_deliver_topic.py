"""Facts about delivery from the topic of alerts: from where it was left, through an outage."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.kafka.broker import Broker
from deploy.kafka.topics import create_topics
from pipelines.delivery.outbox import Outbox
from pipelines.delivery.service import Service
from pipelines.delivery.sources import TopicSource
from schemas.records import encode
from tests.dashboards.incidents import an_alert
from tests.end_to_end.kafka_runs import DEADLINE_SECONDS, producer_of, running_broker, until
from tests.pipelines.delivery.receiver import Desk, a_desk, a_webhook
from transforms.kafka.cluster import Cluster


@contextmanager
def delivering(broker: Broker, state: Path, desk: Desk) -> Iterator[None]:
    cluster, outbox = Cluster(broker.bootstrap_servers), Outbox(state)
    service = Service(
        lambda: TopicSource(cluster, "alerts", outbox, from_start=False),
        outbox,
        (a_webhook(desk.url),),
        None,
        (0.1,) * 9,
    )
    stop = threading.Event()
    thread = threading.Thread(target=service.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(DEADLINE_SECONDS)
        outbox.close()


def publish(broker: Broker, *ids: str) -> None:
    with producer_of(broker) as producer:
        for alert_id in ids:
            alert = an_alert(alert_id, "Nova")
            producer.send("alerts", key=alert_id.encode(), value=encode(alert))


def test_each_alert_of_the_topic_is_told_once_through_restarts_and_an_outage(
    tmp_path: Path,
) -> None:
    log, state = tmp_path / "test.log", tmp_path / "outbox.sqlite"
    log.write_text("not told in time")
    with running_broker(tmp_path / "kafka") as broker, a_desk() as desk:

        def told() -> list[str]:
            return sorted(request.message_id for request in desk.requests)

        create_topics(broker.bootstrap_servers, {"alerts": {"num_partitions": 2}})
        publish(broker, "history")
        with delivering(broker, state, desk):
            outbox = Outbox(state)
            until(lambda: outbox.newest("history") is not None, log)
            outbox.close()
            publish(broker, "a1", "a2")
            until(lambda: len(told()) == 2, log)
        publish(broker, "b1")
        with delivering(broker, state, desk):
            until(lambda: len(told()) == 3, log)
            broker.stop()
            broker.start()
            publish(broker, "c1", "c2")
            until(lambda: len(told()) == 5, log)

    assert told() == ["a1-1", "a2-1", "b1-1", "c1-1", "c2-1"]
