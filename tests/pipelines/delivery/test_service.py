"""Facts about the service: who is told what, in order, once, whatever is down."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines.delivery.events import AlertEvent, alert_in
from pipelines.delivery.outbound import Outbound
from pipelines.delivery.outbox import Message, Outbox
from pipelines.delivery.receivers import Receiver, Refused, WebhookReceiver, Wishes
from pipelines.delivery.service import Service
from pipelines.delivery.sources import FolderSource
from schemas.records import Alert, AlertStatus, encode
from tests.dashboards.incidents import an_alert
from tests.pipelines.delivery.receiver import SECRET, Desk, a_desk, a_webhook, states
from tests.servers import until

DEADLINE_SECONDS = 20.0
SOON = (0.02,) * 6


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    box = Outbox(tmp_path / "outbox.sqlite")
    yield box
    box.close()


def write(folder: Path, alerts: Sequence[Alert]) -> None:
    with (folder / "alerts.jsonl").open("ab") as stream:
        stream.writelines(encode(alert) + b"\n" for alert in alerts)


def a_service(
    folder: Path,
    outbox: Outbox,
    *receivers: Receiver,
    retry_seconds: Sequence[float] = SOON,
    from_start: bool = True,
) -> Service:
    path = folder / "alerts.jsonl"
    return Service(
        lambda: FolderSource(path, outbox, from_start), outbox, receivers, None, retry_seconds
    )


@contextmanager
def running(service: Service) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=service.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(DEADLINE_SECONDS)
        assert not thread.is_alive()


def types(desk: Desk) -> list[AlertEvent]:
    return [alert_in(request.body)[0] for request in desk.requests]


def test_a_whole_incident_is_told_in_order_to_each_as_they_wish(
    tmp_path: Path, outbox: Outbox
) -> None:
    write(tmp_path, states())
    grave = Wishes(min_severity=5)
    few = Wishes(events=("opened", "resolved"))
    with a_desk() as all_of_it, a_desk() as severe, a_desk() as short:
        receivers = (
            a_webhook(all_of_it.url, "all"),
            a_webhook(severe.url, "severe", wishes=grave),
            a_webhook(short.url, "short", wishes=few),
        )
        a_service(tmp_path, outbox, *receivers).run(threading.Event(), once=True)

    assert types(all_of_it) == ["opened", "updated", "escalated", "resolved"]
    assert types(severe) == ["opened", "resolved"]
    assert types(short) == ["opened", "resolved"]


@pytest.mark.parametrize("status", ["resolved", "withdrawn"])
def test_who_was_told_of_an_alert_hears_its_end_though_late_posts_made_it_milder(
    tmp_path: Path, outbox: Outbox, status: AlertStatus
) -> None:
    course = [
        an_alert("a1", "Nova", severity=5),
        an_alert("a1", "Nova", severity=4, revision=2),
        an_alert("a1", "Nova", severity=4, revision=3, status=status),
        an_alert("a2", "Nova", severity=4),
    ]
    write(tmp_path, course)
    with a_desk() as desk:
        receiver = a_webhook(
            desk.url, wishes=Wishes(min_severity=5, events=("opened", "resolved", "withdrawn"))
        )
        a_service(tmp_path, outbox, receiver).run(threading.Event(), once=True)

    assert types(desk) == ["opened", status]


def test_what_is_written_while_it_runs_is_sent_at_once(tmp_path: Path, outbox: Outbox) -> None:
    with a_desk() as desk, running(a_service(tmp_path, outbox, a_webhook(desk.url))):
        write(tmp_path, states()[:1])
        until(lambda: len(desk.requests) == 1)
        write(tmp_path, states()[1:])
        until(lambda: len(desk.requests) == 4)


def test_history_is_taken_note_of_and_not_sent(tmp_path: Path, outbox: Outbox) -> None:
    write(tmp_path, states()[:2])
    with a_desk() as desk:
        service = a_service(tmp_path, outbox, a_webhook(desk.url), from_start=False)
        service.run(threading.Event(), once=True)
        assert desk.requests == []
        write(tmp_path, states()[2:])
        service.run(threading.Event(), once=True)

    assert types(desk) == ["escalated", "resolved"]


def test_a_receiver_that_was_down_gets_everything_in_order_under_the_same_ids(
    tmp_path: Path, outbox: Outbox
) -> None:
    write(tmp_path, states())
    with a_desk(503, 500, 502) as desk, running(a_service(tmp_path, outbox, a_webhook(desk.url))):
        until(lambda: len(desk.requests) == 7)

    assert [r.message_id for r in desk.requests] == ["a1-1"] * 4 + ["a1-2", "a1-4", "a1-5"]
    for request in desk.requests:
        request.verify()


def test_a_slow_receiver_and_a_dead_one_delay_nobody_else(tmp_path: Path, outbox: Outbox) -> None:
    write(tmp_path, states())
    release = threading.Event()
    with a_desk() as slow, a_desk() as quick:
        slow.hold = lambda: release.wait(DEADLINE_SECONDS)
        receivers = (
            a_webhook("http://127.0.0.1:9/", "dead"),
            a_webhook(slow.url, "slow"),
            a_webhook(quick.url, "quick"),
        )
        with running(a_service(tmp_path, outbox, *receivers, retry_seconds=(3_600.0,))):
            until(lambda: len(quick.requests) == 4)
            assert len(slow.requests) <= 1
            release.set()
            until(lambda: len(slow.requests) == 4)

    waiting = outbox.sent("waiting")
    assert {sent.receiver for sent in waiting} == {"dead"} and len(waiting) == 4


def test_410_disables_a_receiver_for_good_until_it_is_enabled(
    tmp_path: Path, outbox: Outbox
) -> None:
    write(tmp_path, states())
    with a_desk(410) as desk:
        service = a_service(tmp_path, outbox, a_webhook(desk.url))
        service.run(threading.Event(), once=True)
        service.run(threading.Event(), once=True)
        assert len(desk.requests) == 1
        outbox.enable("desk")
        outbox.replay("desk")
        service.run(threading.Event(), once=True)

    assert types(desk) == ["opened", "opened", "updated", "escalated", "resolved"]


def test_after_the_last_attempt_a_message_is_a_dead_letter(tmp_path: Path, outbox: Outbox) -> None:
    write(tmp_path, [an_alert("a1", "Nova")])
    with a_desk(*[500] * 9) as desk:
        service = a_service(tmp_path, outbox, a_webhook(desk.url), retry_seconds=(0.01, 0.01))
        with running(service):
            until(lambda: bool(outbox.sent("dead")))

    assert len(desk.requests) == 3
    assert outbox.sent("dead")[0].said == "HTTP 500"


def test_a_restart_in_the_middle_sends_no_second_id(tmp_path: Path) -> None:
    alerts = [an_alert(f"a{n}", "Nova") for n in range(30)]
    write(tmp_path, alerts)
    path = tmp_path / "outbox.sqlite"
    with a_desk() as desk:
        for enough in (10, 20, 30):
            box = Outbox(path)
            with running(a_service(tmp_path, box, a_webhook(desk.url))):
                until(lambda seen=enough: len(desk.requests) >= seen)  # type: ignore[misc]
            box.close()

    sent = [request.message_id for request in desk.requests]
    assert sorted(sent) == sorted(f"a{n}-1" for n in range(30))


def test_a_run_that_is_done_again_is_told_once(tmp_path: Path, outbox: Outbox) -> None:
    write(tmp_path, states())
    with a_desk() as desk:
        service = a_service(tmp_path, outbox, a_webhook(desk.url))
        service.run(threading.Event(), once=True)
        (tmp_path / "alerts.jsonl").unlink()
        write(tmp_path, states()[:3])  # the same day again, and shorter than what was read
        service.run(threading.Event(), once=True)

    assert len(desk.requests) == 4


@pytest.mark.parametrize("first", [1, 3])  # alerts of the first run: fewer than the next, more
def test_alerts_of_a_run_that_began_while_nobody_delivered_are_told(
    tmp_path: Path, outbox: Outbox, first: int
) -> None:
    write(tmp_path, [an_alert(f"a{number}", "Nova") for number in range(first)])
    with a_desk() as desk:
        service = a_service(tmp_path, outbox, a_webhook(desk.url), from_start=False)
        service.run(threading.Event(), once=True)
        (tmp_path / "alerts.jsonl").unlink()
        write(tmp_path, [an_alert(f"b{number}", "Nova") for number in range(2)])
        service.run(threading.Event(), once=True)

    assert [request.message_id for request in desk.requests] == ["b0-1", "b1-1"]


def test_alerts_of_a_new_run_are_no_history_after_a_restart_either(
    tmp_path: Path, outbox: Outbox
) -> None:
    write(tmp_path, [an_alert(f"a{number}", "Nova") for number in range(3)])
    with a_desk() as desk:
        service = a_service(tmp_path, outbox, a_webhook(desk.url), from_start=False)
        with running(service):
            until(lambda: outbox.newest("a2") is not None)
            (tmp_path / "alerts.jsonl").unlink()
            write(tmp_path, [an_alert("b0", "Nova")])
            until(lambda: len(desk.requests) == 1)
        write(tmp_path, [an_alert("b1", "Nova")])
        service.run(threading.Event(), once=True)

    assert [request.message_id for request in desk.requests] == ["b0-1", "b1-1"]


def test_a_line_that_is_no_alert_blocks_nothing(tmp_path: Path, outbox: Outbox) -> None:
    (tmp_path / "alerts.jsonl").write_bytes(b'{"nonsense": 1}\n\xff\n')
    write(tmp_path, states()[:1])
    with a_desk() as desk:
        a_service(tmp_path, outbox, a_webhook(desk.url)).run(threading.Event(), once=True)

    assert types(desk) == ["opened"]


def test_a_full_disk_ends_the_service_instead_of_leaving_it_deaf(
    tmp_path: Path, outbox: Outbox
) -> None:
    pages = outbox._base.execute("PRAGMA page_count").fetchone()[0]
    outbox._base.execute(f"PRAGMA max_page_count = {pages}")
    write(tmp_path, [an_alert(f"a{number}", "Nova") for number in range(50)])
    with a_desk() as desk:
        error = error_of(a_service(tmp_path, outbox, a_webhook(desk.url)))

    assert isinstance(error, sqlite3.OperationalError) and "full" in str(error)


def test_a_thread_that_fails_ends_the_service_instead_of_leaving_its_receiver_untold(
    tmp_path: Path, outbox: Outbox
) -> None:
    class Broken(WebhookReceiver):
        def send(self, message: Message) -> Refused | None:
            raise RuntimeError(message.message_id)

    write(tmp_path, states())
    receiver = Broken("broken", Wishes(), Outbound("http://127.0.0.1:9/", 1, True), (SECRET,))

    assert isinstance(error_of(a_service(tmp_path, outbox, receiver)), RuntimeError)


def error_of(service: Service) -> Exception | None:
    """What ended a service that was to run until it is stopped; None where nothing did."""
    stop, errors = threading.Event(), []

    def run() -> None:
        try:
            service.run(stop)
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(DEADLINE_SECONDS)
    ended = not thread.is_alive()
    stop.set()
    thread.join()
    return errors[0] if ended and errors else None
