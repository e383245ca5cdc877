"""Facts about alerts in a real Alertmanager: received, grouped, silenced, resolved."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from msgspec.structs import replace

from pipelines.delivery.alertmanager import Alertmanager, as_posted
from pipelines.delivery.outbound import Outbound
from pipelines.delivery.outbox import Outbox
from pipelines.delivery.receivers import Wishes
from pipelines.delivery.service import Service
from pipelines.delivery.sources import FolderSource
from schemas.records import Alert, encode
from tests.dashboards.incidents import an_alert
from tests.pipelines.delivery.receiver import Desk, a_desk
from tests.servers import free_port, until

DEADLINE_SECONDS = 30.0


def call(url: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read() or b"null")


def answers(url: str) -> bool:
    try:
        call(f"{url}/api/v2/status")
    except OSError:
        return False
    return True


@contextmanager
def an_alertmanager(home: Path, desk: Desk) -> Iterator[str]:
    """Debian's Alertmanager on 127.0.0.1, which tells `desk` by brand; yields its address."""
    program = shutil.which("prometheus-alertmanager")
    assert program, "not installed: apt-get install prometheus-alertmanager"
    route = {"receiver": "desk", "group_by": ["brand"], "group_wait": "1s", "group_interval": "1s"}
    hooks = [{"url": desk.url, "send_resolved": True}]
    receivers = [{"name": "desk", "webhook_configs": hooks}]
    config = home / "alertmanager.yml"
    config.write_text(yaml.safe_dump({"route": route, "receivers": receivers}), encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    options = {
        "config.file": config,
        "storage.path": home / "alertmanager",
        "web.listen-address": address,
        "cluster.listen-address": "",
    }
    command = [program, *(f"--{name}={value}" for name, value in options.items())]
    with (home / "alertmanager.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until(lambda: answers(f"http://{address}"), DEADLINE_SECONDS)
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(DEADLINE_SECONDS)


@contextmanager
def delivering(folder: Path, url: str) -> Iterator[None]:
    outbox = Outbox(folder / "outbox.sqlite")
    manager = Alertmanager(
        Wishes(), Outbound(f"{url}/api/v2/alerts", 5.0, True), 1.0, "http://page.example"
    )
    path = folder / "alerts.jsonl"
    service = Service(lambda: FolderSource(path, outbox, True), outbox, (), manager, (1.0,))
    stop = threading.Event()
    thread = threading.Thread(target=service.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(DEADLINE_SECONDS)
        manager.close()
        outbox.close()


def write(folder: Path, *alerts: Alert) -> None:
    with (folder / "alerts.jsonl").open("ab") as stream:
        stream.writelines(encode(alert) + b"\n" for alert in alerts)


def test_alerts_are_received_grouped_silenced_and_resolved(tmp_path: Path) -> None:
    nova, other, orbit = an_alert("n1", "Nova"), an_alert("n2", "Nova"), an_alert("o1", "Orbit")
    with a_desk() as desk, an_alertmanager(tmp_path, desk) as url, delivering(tmp_path, url):

        def told(status: str) -> set[tuple[str, ...]]:
            """The alerts of each notification."""
            notes = [json.loads(request.body) for request in desk.requests]
            return {
                tuple(sorted(a["labels"]["alert_id"] for a in note["alerts"]))
                for note in notes
                if note["status"] == status
            }

        def state_of(alert_id: str) -> str | None:
            found = call(f"{url}/api/v2/alerts")
            states = {a["labels"]["alert_id"]: a["status"]["state"] for a in found}
            return states.get(alert_id)

        write(tmp_path, nova, other, orbit)
        one_note_for_each_brand = {("n1", "n2"), ("o1",)}
        until(lambda: one_note_for_each_brand <= told("firing"), DEADLINE_SECONDS)

        silence = {"name": "brand", "value": "Orbit", "isRegex": False, "isEqual": True}
        now = datetime.now(UTC)
        call(
            f"{url}/api/v2/silences",
            {
                "matchers": [silence],
                "startsAt": now.isoformat(),
                "endsAt": (now + timedelta(hours=1)).isoformat(),
                "createdBy": "test",
                "comment": "known",
            },
        )
        until(lambda: state_of("o1") == "suppressed", DEADLINE_SECONDS)
        assert state_of("n1") == "active"

        write(tmp_path, *(replace(a, status="resolved", revision=2) for a in (nova, other)))
        until(lambda: ("n1", "n2") in told("resolved"), DEADLINE_SECONDS)
        assert state_of("n1") is None

    assert not any("o1" in alerts for alerts in told("resolved"))


def test_an_alert_that_gets_graver_ends_under_its_old_level() -> None:
    now = datetime.now(UTC)
    grave = an_alert("a1", "Nova", severity=8)

    filed = {level: as_posted(grave, level, now, 30, None) for level in ("warning", "critical")}

    assert filed["warning"]["endsAt"] <= now < filed["critical"]["endsAt"]
    assert filed["warning"]["labels"]["severity"] == "warning"


def test_times_ahead_of_the_clock_are_told_as_now() -> None:
    day = an_alert("a1", "Nova", status="resolved")

    posted = as_posted(day, "critical", day.since - timedelta(days=1), 30, "http://page.example/")

    assert posted["startsAt"] == posted["endsAt"] == day.since - timedelta(days=1)
    assert posted["generatorURL"] == "http://page.example/#alert=a1"
