"""Facts about what Prometheus is told of delivery."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from dashboards.live.exposition import encoded
from dashboards.live.headers import HEADERS
from dashboards.live.server import PAGE_KEYS, BackgroundMetrics, listen
from pipelines.command_line import MISUSED, main
from pipelines.delivery.alertmanager import Alertmanager
from pipelines.delivery.metrics import DeliveryCollector
from pipelines.delivery.outbound import Outbound
from pipelines.delivery.outbox import KEEP_SECONDS, Outbox
from pipelines.delivery.receivers import Receiver, Wishes
from pipelines.delivery.service import Service
from pipelines.delivery.sources import FolderSource
from schemas.records import encode
from tests.dashboards.incidents import an_alert
from tests.pipelines.delivery.conftest import Clock
from tests.pipelines.delivery.receiver import SECRET, a_desk, a_webhook
from tests.pipelines.delivery.test_command import prepare
from tests.servers import until

NOWHERE = "http://127.0.0.1:9/"


def a_service(
    folder: Path, outbox: Outbox, *receivers: Receiver, alertmanager: Alertmanager | None = None
) -> Service:
    path = folder / "alerts.jsonl"
    return Service(
        lambda: FolderSource(path, outbox, True), outbox, receivers, alertmanager, (3_600.0,)
    )


def publish(folder: Path, *ids: str) -> None:
    with (folder / "alerts.jsonl").open("ab") as stream:
        stream.writelines(encode(an_alert(one, "Nova")) + b"\n" for one in ids)


def send(service: Service) -> None:
    service.run(threading.Event(), once=True)


def samples(text: str) -> dict[str, float]:
    """Each sample under its name without `moodwire_delivery_`, and its labels' values."""
    return {
        " ".join([s.name.removeprefix("moodwire_delivery_"), *s.labels.values()]): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }


def told(service: Service) -> dict[str, float]:
    return samples(encoded(DeliveryCollector(service), "")[0].decode())


def test_each_receiver_is_told_of_with_what_it_took_and_what_waits(
    tmp_path: Path, outbox: Outbox, clock: Clock
) -> None:
    publish(tmp_path, "a1", "a2")
    with a_desk() as desk:
        service = a_service(tmp_path, outbox, a_webhook(desk.url), a_webhook(NOWHERE, "away"))
        before = told(service)
        send(service)
        clock.now += 90

    assert before["messages_total delivered desk"] == before["failures_total away"] == 0
    now = told(service)
    assert {name: value for name, value in now.items() if name.endswith(" desk")} == {
        "messages_total delivered desk": 2,
        "messages_total dead desk": 0,
        "failures_total desk": 0,
        "waiting_messages desk": 0,
        "oldest_seconds desk": 0,
        "disabled desk": 0,
    }
    assert now["failures_total away"] == now["waiting_messages away"] == 2
    assert now["oldest_seconds away"] == 90


def test_a_receiver_that_wants_nothing_more_is_told_of_until_it_is_enabled(
    tmp_path: Path, outbox: Outbox
) -> None:
    publish(tmp_path, "a1", "a2")
    with a_desk(410) as desk:
        service = a_service(tmp_path, outbox, a_webhook(desk.url))
        send(service)
        gone = told(service)
        outbox.enable("desk")
        send(service)

    assert gone["disabled desk"] == gone["waiting_messages desk"] == 1
    assert gone["messages_total dead desk"] == gone["failures_total desk"] == 1
    assert (told(service)["disabled desk"], told(service)["messages_total delivered desk"]) == (
        0,
        1,
    )


def test_counters_go_on_after_a_restart_and_never_fall(
    tmp_path: Path, outbox: Outbox, clock: Clock
) -> None:
    publish(tmp_path, "a1", "a2")
    with a_desk(410) as desk:
        send(a_service(tmp_path, outbox, a_webhook(desk.url)))
        outbox.enable("desk")
        outbox.replay("desk")
        outbox.close()
        again = Outbox(tmp_path / "new" / "outbox.sqlite", clock)
        service = a_service(tmp_path, again, a_webhook(desk.url))
        send(service)

    clock.now += KEEP_SECONDS + 1
    again.forget()
    assert again.sent() == []
    assert told(service)["messages_total delivered desk"] == 2
    assert told(service)["messages_total dead desk"] == told(service)["failures_total desk"] == 1
    again.close()


def test_a_dead_letter_that_is_sent_again_waits_from_then_on(
    tmp_path: Path, outbox: Outbox, clock: Clock
) -> None:
    publish(tmp_path, "a1")
    with a_desk(410) as desk:
        service = a_service(tmp_path, outbox, a_webhook(desk.url))
        send(service)
    clock.now += 86_400
    outbox.replay("desk")
    clock.now += 5

    assert told(service)["oldest_seconds desk"] == 5


def test_what_alertmanager_said_last_is_told_where_there_is_one(
    tmp_path: Path, outbox: Outbox
) -> None:
    publish(tmp_path, "a1")
    with a_desk(503) as desk:
        manager = Alertmanager(Wishes(), Outbound(desk.url, 5.0, allow_private=True), 30.0)
        service = a_service(tmp_path, outbox, alertmanager=manager)
        send(service)
        refused = told(service)
        send(service)

    assert (refused["alertmanager_up"], told(service)["alertmanager_up"]) == (0, 1)
    assert "alertmanager_up" not in told(a_service(tmp_path, outbox))


def test_a_source_that_does_not_answer_makes_its_time_stand(tmp_path: Path, outbox: Outbox) -> None:
    service = a_service(tmp_path, outbox)
    service.read_at, began = 0.0, time.time()
    (tmp_path / "alerts.jsonl").mkdir()
    stop = threading.Event()
    thread = threading.Thread(target=service.run, args=(stop,))
    thread.start()
    try:
        stop.wait(0.5)
        assert told(service)["read_timestamp_seconds"] == 0
        (tmp_path / "alerts.jsonl").rmdir()
        until(lambda: told(service)["read_timestamp_seconds"] >= began)
    finally:
        stop.set()
        thread.join()


def test_prometheus_reads_it_over_http(tmp_path: Path, outbox: Outbox) -> None:
    collector = DeliveryCollector(a_service(tmp_path, outbox, a_webhook(NOWHERE)))
    with BackgroundMetrics(collector, "127.0.0.1", 0, PAGE_KEYS) as server:
        answer = httpx.get(f"{server.url}metrics")
        assert httpx.get(f"{server.url}healthz").text == "ok\n"
        assert httpx.get(server.url).status_code == 404
        foreign = httpx.get(f"{server.url}metrics", headers={"Host": "evil.example"})

    assert answer.headers["content-type"].startswith("text/plain")
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert samples(answer.text)["disabled desk"] == 0
    assert foreign.status_code == 400


def test_a_port_in_use_is_said_and_none_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DESK_SECRET", SECRET)
    with listen("127.0.0.1", 0) as other:
        port = str(other.getsockname()[1])
        given = [*prepare(tmp_path, NOWHERE), "--folder", str(tmp_path), "--metrics-port", port]

        assert main(["deliver", *given]) == MISUSED
        assert f"port {port} on 127.0.0.1 is in use" in (said := capsys.readouterr().err)
        assert "another port with --metrics-port" in said
        assert main(["deliver", *given, "--once"]) != MISUSED
