"""Facts about the outbox: nothing is skipped, nothing made twice, order within an alert is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.delivery.events import body_of, message_id_of, told_by
from pipelines.delivery.outbox import KEEP_SECONDS, Message, Outbox
from schemas.records import Alert, encode
from tests.dashboards.incidents import an_alert
from tests.pipelines.delivery.conftest import Clock
from tests.pipelines.delivery.receiver import states


@pytest.fixture
def clock() -> Clock:
    return Clock(1_000.0)  # long before anything that an alert tells of


def put(outbox: Outbox, alert: Alert, position: int = 1, receiver: str = "desk") -> Message:
    message = Message(
        receiver, message_id_of(alert), alert.alert_id, "opened", body_of(alert, "opened")
    )
    told = {receiver: told_by(alert)}
    outbox.take(alert.alert_id, encode(alert), {"alerts-0": position}, told, [message])
    return message


def next_id(outbox: Outbox, receiver: str = "desk") -> str | None:
    message, _ = outbox.next_due(receiver)
    return None if message is None else message.message_id


def test_what_was_taken_in_outlives_the_process(tmp_path: Path, outbox: Outbox) -> None:
    message = put(outbox, an_alert("a1", "Nova"), position=7)
    outbox.close()

    again = Outbox(tmp_path / "new" / "outbox.sqlite")

    assert again.position("alerts-0") == 7
    assert again.told("desk", "a1") == told_by(an_alert("a1", "Nova"))
    assert again.next_due("desk")[0] == message
    again.close()


def test_the_same_message_is_taken_in_once(outbox: Outbox) -> None:
    message = put(outbox, an_alert("a1", "Nova"))
    outbox.delivered(message)

    put(outbox, an_alert("a1", "Nova"))

    assert next_id(outbox) is None
    assert [sent.state for sent in outbox.sent()] == ["delivered"]


def test_an_end_waits_for_its_beginning_but_other_alerts_do_not(
    outbox: Outbox, clock: Clock
) -> None:
    opened, *_, over = states("a1")
    first = put(outbox, opened)
    put(outbox, over)
    other = put(outbox, an_alert("b1", "Orbit"))

    outbox.retry(first, 60.0, "HTTP 503")
    assert next_id(outbox) == other.message_id
    outbox.delivered(other)
    assert outbox.next_due("desk") == (None, clock.now + 60)

    clock.now += 60
    assert next_id(outbox) == first.message_id
    outbox.delivered(first)
    assert next_id(outbox) == message_id_of(over)


def test_receivers_wait_for_nobody_else(outbox: Outbox) -> None:
    outbox.retry(put(outbox, an_alert("a1", "Nova")), 3_600, "HTTP 500")
    put(outbox, an_alert("a1", "Nova"), receiver="mail")

    assert next_id(outbox, "mail") is not None


def test_dead_letters_are_kept_and_sent_again_by_hand_alone(outbox: Outbox) -> None:
    message = put(outbox, an_alert("a1", "Nova"))
    outbox.give_up(message, "HTTP 400 no")
    assert next_id(outbox) is None
    assert [(sent.state, sent.said) for sent in outbox.sent("dead")] == [("dead", "HTTP 400 no")]

    assert outbox.replay("desk", "another") == 0
    assert outbox.replay("desk") == 1
    assert next_id(outbox) == message.message_id


def test_a_disabled_receiver_is_left_alone_until_it_is_enabled(outbox: Outbox) -> None:
    put(outbox, an_alert("a1", "Nova"))
    outbox.disable("desk", "HTTP 410")
    assert outbox.next_due("desk") == (None, None)

    assert outbox.enable("desk") and not outbox.enable("desk")
    assert next_id(outbox) is not None


def test_what_ended_long_ago_is_forgotten_and_what_fires_is_not(
    outbox: Outbox, clock: Clock
) -> None:
    outbox.delivered(put(outbox, an_alert("a1", "Nova", status="resolved")))
    outbox.delivered(put(outbox, an_alert("b1", "Orbit")))

    clock.now += KEEP_SECONDS + 1
    outbox.forget()

    assert outbox.sent() == []
    assert (outbox.newest("a1"), outbox.told("desk", "a1")) == (None, None)
    assert outbox.newest("b1") is not None and outbox.told("desk", "b1") is not None


def test_alerts_that_fire_or_changed_lately_are_the_state(outbox: Outbox, clock: Clock) -> None:
    put(outbox, an_alert("a1", "Nova"))
    put(outbox, an_alert("b1", "Orbit", status="resolved"))
    clock.now += 100
    put(outbox, an_alert("c1", "Vela", status="resolved"))

    assert [b'"a1"' in body or b'"c1"' in body for body in outbox.alerts_since(1_050)] == [True] * 2
