"""Facts about delivery from the topic of alerts: from where it was left, through an outage."""

from __future__ import annotations

import signal
from contextlib import closing
from pathlib import Path

import pytest

from deploy.kafka.broker import Broker
from deploy.kafka.topics import create_topics
from pipelines.delivery.outbox import Outbox
from schemas.records import encode
from tests.dashboards.incidents import an_alert
from tests.end_to_end.kafka_runs import producer_of, running_broker, until
from tests.end_to_end.serving import delivering
from tests.pipelines.delivery.receiver import a_desk

SETTINGS = """
sinks: {{kafka: {{bootstrap_servers: "{servers}"}}}}
delivery:
  state: {state}
  retry_seconds: [1, 1, 1]
  webhooks:
    - name: desk
      url: {url}
      secrets: ["${{DESK_SECRET}}"]
      allow_private_addresses: true
"""


def publish(broker: Broker, *ids: str) -> None:
    with producer_of(broker) as producer:
        for alert_id in ids:
            alert = an_alert(alert_id, "Nova")
            producer.send("alerts", key=alert_id.encode(), value=encode(alert))


def knows(state: Path, alert_id: str) -> bool:
    if not state.exists():
        return False
    with closing(Outbox(state)) as outbox:
        return outbox.newest(alert_id) is not None


@pytest.mark.timeout(400)
def test_each_alert_of_the_topic_is_told_once_through_restarts_and_an_outage(
    tmp_path: Path,
) -> None:
    settings, state, log = tmp_path / "m.yaml", tmp_path / "outbox.sqlite", tmp_path / "log"
    with running_broker(tmp_path / "kafka") as broker, a_desk() as desk:

        def told() -> list[str]:
            return [request.message_id for request in desk.requests]

        def are_told(*ids: str) -> bool:
            return set(ids) <= set(told())

        servers = broker.bootstrap_servers
        settings.write_text(SETTINGS.format(servers=servers, state=state, url=desk.url))
        create_topics(servers, {"alerts": {"num_partitions": 2}})
        publish(broker, "history")
        with delivering(settings, log, signal.SIGKILL):
            until(lambda: knows(state, "history"), log)
            publish(broker, "a1", "a2")
            until(lambda: are_told("a1-1", "a2-1"), log)
        publish(broker, "b1")
        with delivering(settings, log, signal.SIGINT):
            until(lambda: are_told("b1-1"), log)
            broker.stop()
            broker.start()
            publish(broker, "c1", "c2")
            until(lambda: are_told("c1-1", "c2-1"), log)

    # A kill may come between an answer and the note of it: then the same id is sent again.
    assert sorted(set(told())) == ["a1-1", "a2-1", "b1-1", "c1-1", "c2-1"]
    assert len(told()) <= 6
