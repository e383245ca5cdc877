"""Facts about daily digests on their way: once a day, under one id, whatever is down."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiosmtpd.controller import Controller

from pipelines.delivery.digests import DailyDigests, digest_id, digest_in
from pipelines.delivery.outbox import Outbox
from pipelines.delivery.receivers import Receiver, ServiceReceiver, Wishes
from pipelines.delivery.service import Service
from pipelines.delivery.sources import FolderSource
from pipelines.digest.facts import Digest, compose
from tests.pipelines.delivery.receiver import a_desk, a_webhook
from tests.pipelines.delivery.test_receivers import Mailbox
from tests.pipelines.digest.days import FRAME, THE_DAY, a_day, gathered
from tests.servers import free_port, until

MORNING = datetime(2026, 6, 19, 7, 0, tzinfo=UTC)
NAME = "Nova <b>& Söhne</b>"


class Clock:
    """A clock that a test moves on."""

    def __init__(self, now: datetime = MORNING) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    box = Outbox(tmp_path / "outbox.sqlite")
    yield box
    box.close()


def composed(day: date) -> Digest:
    return compose(gathered(a_day(NAME)), [NAME], day, FRAME, {})


def digests(outbox: Outbox, clock: Clock, **changes: Any) -> DailyDigests:
    fields: dict[str, Any] = {
        "compose": composed,
        "outbox": outbox,
        "at": time(7),
        "timezone": "UTC",
        "brands": (),
        "sinks": ("desk",),
        "from_start": True,
        "now": clock,
    }
    return DailyDigests(**(fields | changes))


def a_service(
    folder: Path, outbox: Outbox, made: DailyDigests | None, *receivers: Receiver
) -> Service:
    path = folder / "alerts.jsonl"
    return Service(
        lambda: FolderSource(path, outbox, True),
        outbox,
        receivers,
        None,
        retry_seconds=(0.02,) * 6,
        digests=made,
    )


def run_once(service: Service) -> None:
    service.run(threading.Event(), once=True)


def test_a_day_is_told_once_when_it_is_due_and_the_next_day_again(
    tmp_path: Path, outbox: Outbox
) -> None:
    clock = Clock(MORNING.replace(hour=6, minute=59))
    with a_desk() as desk:
        service = a_service(tmp_path, outbox, digests(outbox, clock), a_webhook(desk.url))
        sent = []
        for hour, minute, day in ((6, 59, 19), (7, 0, 19), (7, 1, 19), (23, 0, 19), (7, 0, 20)):
            clock.now = MORNING.replace(day=day, hour=hour, minute=minute)
            run_once(service)
            sent.append([str(digest_in(request.body).day) for request in desk.requests])

    assert sent == [
        ["2026-06-17"],
        ["2026-06-17", "2026-06-18"],
        ["2026-06-17", "2026-06-18"],
        ["2026-06-17", "2026-06-18"],
        ["2026-06-17", "2026-06-18", "2026-06-19"],
    ]


def test_a_webhook_gets_the_facts_signed_under_an_id_of_the_day(
    tmp_path: Path, outbox: Outbox
) -> None:
    with a_desk() as desk:
        made = digests(outbox, Clock())
        run_once(a_service(tmp_path, outbox, made, a_webhook(desk.url)))

    (request,) = desk.requests
    request.verify()
    body = msgspec.json.decode(request.body)
    assert request.message_id == digest_id(THE_DAY, "UTC", ())
    assert (body["type"], body["timestamp"]) == ("digest.daily", "2026-06-19T00:00:00Z")
    assert body["data"]["brands"][0]["posts"] == 1584


def test_ids_tell_days_zones_and_brands_apart_and_nothing_else() -> None:
    names = [
        digest_id(THE_DAY, "UTC", ()),
        digest_id(date(2026, 6, 19), "UTC", ()),
        digest_id(THE_DAY, "Asia/Tokyo", ()),
        digest_id(THE_DAY, "UTC", ("Nova",)),
    ]

    assert len(set(names)) == 4
    assert digest_id(THE_DAY, "UTC", ()) == names[0]


def test_a_restart_at_any_moment_sends_nothing_twice(tmp_path: Path) -> None:
    path = tmp_path / "outbox.sqlite"
    with a_desk() as desk:
        for send in (False, True, True):  # the first dies between queueing and sending
            box = Outbox(path)
            made = digests(box, Clock())
            if send:
                run_once(a_service(tmp_path, box, made, a_webhook(desk.url)))
            else:
                made.look()
            box.close()

    assert [request.message_id for request in desk.requests] == [digest_id(THE_DAY, "UTC", ())]


def test_a_sink_that_is_down_gets_it_later_and_delays_nobody_else(
    tmp_path: Path, outbox: Outbox
) -> None:
    stop = threading.Event()
    with a_desk(503, 500) as slow, a_desk() as quick:
        made = digests(outbox, Clock(), sinks=("slow", "quick"))
        receivers = (a_webhook(slow.url, "slow"), a_webhook(quick.url, "quick"))
        service = a_service(tmp_path, outbox, made, *receivers)
        thread = threading.Thread(target=service.run, args=(stop,))
        thread.start()
        until(lambda: len(slow.requests) == 3 and len(quick.requests) == 1)
        stop.set()
        thread.join(20)

    assert len({request.message_id for request in (*slow.requests, *quick.requests)}) == 1
    assert outbox.sent("waiting") == []


def test_facts_that_cannot_be_read_now_delay_a_digest_and_lose_none(
    tmp_path: Path, outbox: Outbox
) -> None:
    failures = [OSError("away"), OSError("still away")]

    def compose_at_last(day: date) -> Digest:
        if failures:
            raise failures.pop()
        return composed(day)

    stop = threading.Event()
    with a_desk() as desk:
        made = digests(outbox, Clock(), compose=compose_at_last)
        service = a_service(tmp_path, outbox, made, a_webhook(desk.url))
        thread = threading.Thread(target=service.run, args=(stop,))
        thread.start()
        until(lambda: len(desk.requests) == 1)
        stop.set()
        thread.join(20)

    assert failures == []


def test_days_before_the_first_start_are_history_and_a_time_away_is_told_as_one_day(
    tmp_path: Path, outbox: Outbox
) -> None:
    clock = Clock()
    with a_desk() as desk:
        made = digests(outbox, clock, from_start=False)
        service = a_service(tmp_path, outbox, made, a_webhook(desk.url))
        run_once(service)
        assert desk.requests == []
        clock.now = MORNING.replace(day=25)
        run_once(service)

    assert [str(digest_in(request.body).day) for request in desk.requests] == ["2026-06-24"]


def test_who_is_no_sink_of_digests_hears_none(tmp_path: Path, outbox: Outbox) -> None:
    with a_desk() as desk, a_desk() as other:
        receivers = (a_webhook(desk.url), a_webhook(other.url, "other"))
        run_once(a_service(tmp_path, outbox, digests(outbox, Clock()), *receivers))
        run_once(a_service(tmp_path, outbox, None, *receivers))

    assert (len(desk.requests), len(other.requests)) == (1, 0)


def mailed(outbox: Outbox, tmp_path: Path) -> EmailMessage:
    """What a real SMTP server is given."""
    mailbox, port = Mailbox(), free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    address = f"mailto://127.0.0.1:{port}?from=mood@example.org&to=desk@example.org&mode=insecure"
    try:
        mail = ServiceReceiver("desk", Wishes(), address)
        run_once(a_service(tmp_path, outbox, digests(outbox, Clock()), mail))
    finally:
        controller.stop()
    assert [sent.state for sent in outbox.sent()] == ["delivered"]
    (found,) = mailbox.mails
    assert isinstance(found, EmailMessage)
    return found


def test_a_mail_shows_the_page_with_its_chart_and_says_it_as_plain_text(
    tmp_path: Path, outbox: Outbox
) -> None:
    mail = mailed(outbox, tmp_path)
    html, plain = mail.get_body(("html",)), mail.get_body(("plain",))
    (chart,) = (part for part in mail.walk() if part.get_content_type() == "image/png")
    assert html is not None and plain is not None
    page, text = html.get_content(), " ".join(plain.get_content().split())

    assert mail["Subject"] == "Moodwire, Thu 18 Jun 2026: 1 alert, 1 brand"
    assert f"cid:{chart['Content-ID'].strip('<>')}" in page
    assert chart.get_content().startswith(b"\x89PNG")
    assert "<b>&" not in page and "Nova &lt;b&gt;&amp; Söhne&lt;/b&gt;" in page
    assert NAME in text
    assert "1,584, 1,152 a day before" in text and "judged a true alarm by Ada" in text


def test_chat_gets_the_text_and_the_charts_beside_it(tmp_path: Path, outbox: Outbox) -> None:
    with a_desk() as desk:
        address = desk.url.replace("http://", "json://")
        chat = ServiceReceiver("desk", Wishes(), address)
        run_once(a_service(tmp_path, outbox, digests(outbox, Clock()), chat))

    (request,) = desk.requests
    said = msgspec.json.decode(request.body)
    assert said["title"] == "Moodwire, Thu 18 Jun 2026: 1 alert, 1 brand"
    assert f"{NAME}\n  posts: 1,584, 1,152 a day before" in said["message"]
    assert [part["filename"] for part in said["attachments"]] == [
        "digest-2026-06-18-1-nova-b-s-hne-b.png"
    ]
