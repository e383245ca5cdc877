"""Facts about following topics: what a run folder shows, through restarts and an outage."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from dashboards.live.exposition import exposition
from dashboards.live.follower import Follower
from deploy.kafka.broker import Broker
from deploy.kafka.topics import create_topics, read_topics
from pipelines.command_line import OK, main
from pipelines.run_folder import FILES
from pipelines.sinks import TOPICS
from schemas.metrics import ALERT_DELAY, READING_DELAY, TREND_DELAY
from schemas.records import Alert, Media, Reading, Trend, encode
from tests.builders import a_reading
from tests.dashboards.grafana_contract import TOKEN, a_grafana
from tests.dashboards.incidents import an_alert
from tests.dashboards.run_folder import a_trend, build_run_folder
from tests.dashboards.story import DAY, Moment
from tests.end_to_end.kafka_runs import producer_of, running_broker, until
from tests.end_to_end.serving import serving

CALM = Moment(posts=20, valence=0.2, image_share=0.3)


def publish(broker: Broker, folder: Path) -> None:
    """What a run wrote to its folder, as it would have written it to topics."""
    with producer_of(broker) as producer:
        for kind in ("trends", "rollups", "alerts", "rejections"):
            for number, line in enumerate((folder / FILES[kind]).read_bytes().splitlines()):
                producer.send(TOPICS[kind], key=str(number).encode(), value=line)
        for file in (folder / "media").iterdir():
            media = Media(sha256=file.stem, width=1, height=1, rendition=file.read_bytes())
            producer.send("media", key=file.stem.encode(), value=encode(media))


def brands(text: str) -> list[str]:
    """What is told of brands and alerts; the rest is told by the engine, or by the topics alone."""
    lines = [line for line in text.splitlines() if line.startswith("moodwire_")]
    return sorted(line for line in lines if "_delay_seconds" not in line)


def answer(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=10) as found:
            return found.status, found.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


@pytest.mark.timeout(400)
def test_topics_show_what_the_folder_shows_through_restarts_and_an_outage(tmp_path: Path) -> None:
    folder = build_run_folder(tmp_path / "run")
    follower = Follower(folder)
    while follower.poll():
        pass
    follower.state.samples = []  # of the engine, which does not run here
    expected = exposition(follower.state).decode()
    settings, log = tmp_path / "m.yaml", tmp_path / "log"
    picture = next((folder / "media").iterdir())
    with running_broker(tmp_path / "kafka") as broker:
        create_topics(broker.bootstrap_servers, read_topics())
        publish(broker, folder)
        settings.write_text(
            f'sinks: {{kafka: {{bootstrap_servers: "{broker.bootstrap_servers}"}}}}\n'
            "flink: {rest_port: 1}\n"
        )

        with serving(settings, log, command="exporter") as url:
            until(lambda: answer(f"{url}/metrics")[0] == 200, log)
            assert brands(answer(f"{url}/metrics")[1].decode()) == [
                line for line in brands(expected) if "watermark" not in line
            ]
            assert answer(f"{url}/")[0] == 404
            broker.stop()
            broker.start()
            with producer_of(broker) as producer:
                alert = an_alert("after", "Zephyr", severity=9)
                producer.send("alerts", key=b"after", value=encode(alert))
            line = 'moodwire_alert_severity{brand="Zephyr",kind="crisis"} 9.0'
            until(lambda: line in answer(f"{url}/metrics")[1].decode(), log)

        with serving(settings, log) as url:
            until(lambda: line in answer(f"{url}/metrics")[1].decode(), log)
            assert answer(f"{url}/")[0] == 200
            assert answer(f"{url}/media/{picture.name}") == (200, picture.read_bytes())
            shown = json.loads(answer(f"{url}/api/state")[1])
            assert len(shown["rollups"]) == len(list(follower.state.rollups.since(0))) > 0


@pytest.mark.timeout(400)
def test_alerts_of_the_topic_stand_in_grafana_and_a_restart_writes_none_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAFANA_TOKEN", TOKEN)
    first, ended = an_alert("a1", "Zephyr"), an_alert("a1", "Zephyr", status="resolved", revision=2)
    settings = tmp_path / "m.yaml"
    with running_broker(tmp_path / "kafka") as broker, a_grafana() as grafana:
        create_topics(broker.bootstrap_servers, read_topics())
        settings.write_text(
            f'sinks: {{kafka: {{bootstrap_servers: "{broker.bootstrap_servers}"}}}}\n'
            "delivery: {page_url: http://page.example}\n"
        )
        with producer_of(broker) as producer:
            for alert in (first, ended, an_alert("a2", "Nova")):
                producer.send("alerts", key=alert.alert_id.encode(), value=encode(alert))
        line = ["dashboards", "annotate", "--url", grafana.url, "--settings", str(settings)]
        codes = [main([*line, "--once"]) for _ in range(2)]

    assert codes == [OK, OK]
    assert [note["tags"][1] for note in grafana.annotations.values()] == ["Zephyr", "Nova"]
    assert "resolved" in grafana.annotations[1]["text"]
    assert "http://page.example/#alert=a1" in grafana.annotations[1]["text"]
    assert len(grafana.writes) == 2


def delays_in(text: str) -> list[str]:
    return [line for line in text.splitlines() if "_delay_seconds" in line and line[0] != "#"]


def a_record(record: Reading | Trend | Alert, written: float) -> dict[str, Any]:
    """A record as a run sends it, with the time at which it is written."""
    key_of = {Reading: "post_id", Trend: "key", Alert: "alert_id"}[type(record)]
    key = str(getattr(record, key_of)).encode()
    return {"key": key, "value": encode(record), "timestamp_ms": int(written * 1000)}


@pytest.mark.timeout(400)
def test_delays_are_counted_once_and_a_restart_forgets_none(tmp_path: Path) -> None:
    settings, log = tmp_path / "m.yaml", tmp_path / "log"
    trend = a_trend("Zephyr", DAY, CALM, timing="on_time")
    alert = an_alert("a1", "Zephyr")
    now = datetime.fromtimestamp(int(time.time()) - 1_000, UTC)
    posted, ended, seen = (
        moment.timestamp() for moment in (now, trend.window_end, alert.updated_at)
    )
    with running_broker(tmp_path / "kafka") as broker:
        create_topics(broker.bootstrap_servers, read_topics())
        settings.write_text(
            f'sinks: {{kafka: {{bootstrap_servers: "{broker.bootstrap_servers}"}}}}\n'
            "flink: {rest_port: 1}\n"
        )
        with serving(settings, log, command="exporter") as url, producer_of(broker) as producer:
            until(lambda: answer(f"{url}/metrics")[0] == 200, log)
            for number, waited in enumerate((3.0, 70.0, 70.0)):  # the last one is a repetition
                reading = a_reading(post_id=str(min(number, 1)), created_at=now)
                producer.send("readings", **a_record(reading, posted + waited))
            producer.send("trends", **a_record(trend, ended + 12.0))
            producer.send("alerts", **a_record(alert, seen + 14.0))
            told = {
                f"{READING_DELAY.name}_count 2.0",
                f"{READING_DELAY.name}_sum 73.0",
                f'{READING_DELAY.name}_bucket{{le="60.0"}} 1.0',
                f'{TREND_DELAY.name}_bucket{{le="15.0"}} 1.0',
                f"{ALERT_DELAY.name}_sum 14.0",
            }
            until(lambda: told <= set(delays_in(answer(f"{url}/metrics")[1].decode())), log)
            before = delays_in(answer(f"{url}/metrics")[1].decode())
        with producer_of(broker) as producer:
            producer.send("alerts", **a_record(replace(alert, revision=2, severity=9), seen + 60.0))
            late = a_reading(post_id="9", created_at=now)
            producer.send("readings", **a_record(late, posted + 400.0))

        with serving(settings, log, command="exporter") as url:
            until(lambda: answer(f"{url}/metrics")[0] == 200, log)
            after = delays_in(answer(f"{url}/metrics")[1].decode())

    changed = {line.rsplit(" ", 1)[0] for line in set(before) ^ set(after)}
    assert f"{READING_DELAY.name}_count 3.0" in after
    assert all(name.startswith(READING_DELAY.name) for name in changed)
