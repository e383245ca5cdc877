"""Facts about digests of topics: the same as of a run folder, sent by the service once a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from deploy.kafka.broker import Broker
from deploy.kafka.topics import create_topics, read_topics
from pipelines.command_line import main
from pipelines.delivery.digests import digest_in
from pipelines.digest.facts import Digest
from pipelines.digest.sources import FolderSource, Reader, TopicSource
from pipelines.settings import KafkaSink
from schemas.records import Alert, AlertFeedback, Rollup, Slice, Trend, encode
from tests.end_to_end.kafka_runs import producer_of, running_broker
from tests.pipelines.delivery.receiver import SECRET, a_desk
from tests.pipelines.digest.days import (
    FRAME,
    MIDNIGHT,
    THE_DAY,
    a_day,
    a_rollup,
    a_window,
    sliding,
    write,
)

TOPICS = {Trend: "trends", Rollup: "rollups", Alert: "alerts", AlertFeedback: "alert-feedback"}
Records = list[Trend | Alert | AlertFeedback]


def publish(broker: Broker, records: Records, written: datetime | None = None) -> None:
    """Send records, as if they were `written` at another time than now."""
    millis = None if written is None else int(written.timestamp() * 1000)
    with producer_of(broker) as producer:
        for record in records:
            key = (record.alert_id if isinstance(record, Alert) else record.key).encode()
            producer.send(TOPICS[type(record)], key=key, value=encode(record), timestamp_ms=millis)


def of(source: FolderSource | TopicSource) -> Digest:
    found = Reader(source, ("Nova",), FRAME).digest(THE_DAY)
    return msgspec.structs.replace(found, dead_letters=None)


def where_it_is_noon() -> ZoneInfo:
    """A time zone whose day does not end while a test runs, whenever that is."""
    return ZoneInfo(f"Etc/GMT{datetime.now(UTC).hour - 12:+d}")


@pytest.mark.timeout(400)
def test_topics_and_a_folder_tell_the_same_and_the_service_sends_yesterday_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESK_SECRET", SECRET)
    noise: Records = [
        a_window(a_day()[0].window_start, slice=Slice(lang="en"), posts=900),  # type: ignore[union-attr]
        a_window(a_day()[0].window_start, "Orion", posts=900),  # type: ignore[union-attr]
    ]
    zone = where_it_is_noon()
    yesterday = datetime.now(zone) - timedelta(days=1)
    midnight = yesterday.replace(hour=0, minute=0, second=0, microsecond=0)
    rolled_up = a_rollup(MIDNIGHT, 24, 9_000, authors=700)
    write([*a_day(), *noise, rolled_up], tmp_path)
    with running_broker(tmp_path / "kafka") as broker, a_desk() as desk:
        create_topics(broker.bootstrap_servers, read_topics())
        long_ago = MIDNIGHT - timedelta(days=30)
        publish(broker, [a_window(MIDNIGHT, posts=800, pane_index=900)], written=long_ago)
        publish(broker, [*a_day(), *noise, rolled_up])
        topics = of(TopicSource(KafkaSink(bootstrap_servers=broker.bootstrap_servers)))
        publish(broker, [*sliding(midnight, 2, posts=7)])
        settings = tmp_path / "moodwire.yaml"
        settings.write_text(
            f"""
brands: [{{name: Nova}}]
sinks: {{kafka: {{bootstrap_servers: "{broker.bootstrap_servers}"}}}}
delivery:
  state: {tmp_path}/state.sqlite
  webhooks:
    - {{name: desk, url: "{desk.url}", secrets: ["${{DESK_SECRET}}"], events: [opened],
       allow_private_addresses: true, min_severity: 10}}
digest: {{at: "00:00", timezone: {zone.key}, sinks: [desk]}}
"""
        )
        given = ["deliver", "--settings", str(settings), "--from-start", "--once"]
        codes = [main(given), main(given)]

    assert topics == of(FolderSource(tmp_path))  # what was written long before is not read
    assert (topics.brands[0].posts, topics.brands[0].people) == (9_000, 700)
    assert codes == [0, 0]
    (request,) = desk.requests
    found = digest_in(request.body)
    assert (found.day, found.brands[0].posts) == (midnight.date(), 24 * 7)
