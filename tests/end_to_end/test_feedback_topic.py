"""Facts about feedback on Kafka: the command line writes it, the page writes and shows it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from deploy.kafka.broker import Broker
from deploy.kafka.topics import create_topics, read_topics
from pipelines.command_line import main
from schemas.records import encode
from tests.dashboards.incidents import an_alert
from tests.end_to_end.kafka_runs import producer_of, running_broker, until
from tests.end_to_end.serving import serving

TOKEN = "a-token-of-the-desk-0815"


def shown(url: str) -> tuple[int, int]:
    """How many alerts the page knows, and how much feedback; none where nobody listens yet."""
    try:
        with urllib.request.urlopen(f"{url}/api/state", timeout=10) as found:
            state = json.load(found)
            return len(state["alerts"]), len(state["feedback"])
    except OSError:
        return 0, 0


def act(url: str, token: str, **asked: object) -> int:
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Sec-Fetch-Site": "same-origin",
    }
    body = json.dumps({"by": "Ada", **asked}).encode()
    request = urllib.request.Request(f"{url}/api/feedback", body, headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def publish(broker: Broker, alert_id: str) -> None:
    with producer_of(broker) as producer:
        producer.send("alerts", key=alert_id.encode(), value=encode(an_alert(alert_id, "Nova")))


@pytest.mark.timeout(400)
def test_what_people_do_reaches_the_topic_and_every_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, log = tmp_path / "m.yaml", tmp_path / "log"
    monkeypatch.setenv("MOODWIRE_TOKEN", TOKEN)
    monkeypatch.setenv("COLUMNS", "200")
    with running_broker(tmp_path / "kafka") as broker:
        create_topics(broker.bootstrap_servers, read_topics())
        publish(broker, "a1")
        settings.write_text(
            f'sinks: {{kafka: {{bootstrap_servers: "{broker.bootstrap_servers}"}}}}\n'
            'flink: {rest_port: 1}\nserve: {token: "${MOODWIRE_TOKEN}"}\n'
        )
        given = ["--settings", str(settings)]
        assert main(["alerts", "snooze", "a1", "--for", "2h", "--by", "Bo", *given]) == 0

        with serving(settings, log, MOODWIRE_TOKEN=TOKEN) as url:
            until(lambda: shown(url) == (1, 1), log)
            assert act(url, "not-the-token-0815", alert_id="a1", action="acknowledge") == 401
            assert act(url, TOKEN, alert_id="a1", action="acknowledge") == 201
            until(lambda: shown(url) == (1, 2), log)
        capsys.readouterr()
        assert main(["alerts", "list", *given]) == 0
        listed = " ".join(capsys.readouterr().out.split())

    assert "by Bo" in listed and "acknowledged by Ada" in listed
    assert TOKEN not in log.read_text()
