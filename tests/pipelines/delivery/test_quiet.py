"""Facts about alerts that somebody took on: nobody is told of mere changes any more."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from pipelines.delivery.events import alert_in
from pipelines.delivery.outbox import KEEP_SECONDS, Outbox
from pipelines.delivery.service import Service
from pipelines.delivery.sources import FolderSource
from schemas.records import AlertFeedback
from tests.dashboards.incidents import some_feedback
from tests.dashboards.run_folder import append
from tests.pipelines.delivery.conftest import Clock
from tests.pipelines.delivery.receiver import Desk, a_desk, a_webhook, states


def deliver(folder: Path, outbox: Outbox, desk: Desk) -> list[str]:
    """All there is now; what the desk was told so far."""
    source = partial(FolderSource, folder / "alerts.jsonl", outbox, from_start=True)
    Service(source, outbox, [a_webhook(desk.url)], None, (1.0,)).run(threading.Event(), once=True)
    return [alert_in(request.body)[0] for request in desk.requests]


def told_after(folder: Path, outbox: Outbox, *given: AlertFeedback) -> list[str]:
    """What is told of an incident that people act on once it was opened."""
    opened, *later = states()
    with a_desk() as desk:
        append(folder / "alerts.jsonl", opened)
        deliver(folder, outbox, desk)
        append(folder / "alert-feedback.jsonl", *given)
        append(folder / "alerts.jsonl", *later)
        return deliver(folder, outbox, desk)


def test_without_anybody_every_change_is_told(tmp_path: Path, outbox: Outbox) -> None:
    assert told_after(tmp_path, outbox) == ["opened", "updated", "escalated", "resolved"]


def test_of_an_acknowledged_alert_only_what_is_graver_and_its_end_are_told(
    tmp_path: Path, outbox: Outbox
) -> None:
    assert told_after(tmp_path, outbox, some_feedback("a1")) == ["opened", "escalated", "resolved"]


def test_a_snooze_quiets_until_its_end(tmp_path: Path, outbox: Outbox, clock: Clock) -> None:
    snooze = some_feedback("a1", "snooze", until=datetime(2026, 11, 23, 13, tzinfo=UTC))

    assert told_after(tmp_path, outbox, snooze) == ["opened", "escalated", "resolved"]
    assert outbox.is_quiet("a1")
    clock.now += 3_601
    assert not outbox.is_quiet("a1")


@pytest.mark.parametrize(
    "given",
    [
        some_feedback("another"),
        some_feedback("a1", "verdict"),
        some_feedback("a1", "snooze", until=datetime(2026, 11, 23, 11, tzinfo=UTC)),
    ],
)
def test_a_verdict_an_old_snooze_and_another_alert_change_nothing(
    tmp_path: Path, outbox: Outbox, given: AlertFeedback
) -> None:
    assert "updated" in told_after(tmp_path, outbox, given)


def test_a_later_snooze_takes_the_place_of_an_earlier_one(outbox: Outbox, clock: Clock) -> None:
    outbox.hush("a1", "snooze", clock.now + 100, {"feedback": 1})
    outbox.hush("a1", "snooze", clock.now + 10, {"feedback": 2})
    clock.now += 50

    assert not outbox.is_quiet("a1")
    assert outbox.position("feedback") == 2


def test_quiet_outlives_the_process_and_is_forgotten_with_its_alert(
    tmp_path: Path, outbox: Outbox, clock: Clock
) -> None:
    told_after(tmp_path, outbox, some_feedback("a1"))
    again = Outbox(tmp_path / "new" / "outbox.sqlite", clock)
    assert again.is_quiet("a1")
    clock.now += KEEP_SECONDS + timedelta(days=1).total_seconds()

    again.forget()

    assert not again.is_quiet("a1")
    again.close()
