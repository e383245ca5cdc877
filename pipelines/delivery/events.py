"""What happened to an alert since a receiver last heard of it, and how it is told."""

from __future__ import annotations

import math
from datetime import datetime
from hashlib import blake2b
from typing import Literal

import msgspec

from schemas.records import Alert, AlertFeedback, AlertStatus, encode

AlertEvent = Literal["opened", "escalated", "updated", "resolved", "withdrawn"]


class Told(msgspec.Struct, frozen=True):
    """The state of an alert that a receiver was told last; `content` is a hash of all it says."""

    status: AlertStatus
    severity: int
    content: str


class Envelope(msgspec.Struct, frozen=True):
    """The body of a message: Standard Webhooks 1.0, "Payload structure"."""

    type: str
    timestamp: datetime
    data: Alert


def told_by(alert: Alert) -> Told:
    """What a receiver knows once it was told of this state."""
    return Told(alert.status, alert.severity, content_of(alert))


def event_of(alert: Alert, told: Told | None) -> AlertEvent | None:
    """What is new in `alert` to a receiver that was `told` of an earlier state, None for nothing.

    A state that only counts one revision more, or has become final, is nothing new. An incident
    that was over before a receiver heard of it is still told, one that was withdrawn or is muted
    is not.
    """
    if told is None:
        unheard = alert.status == "withdrawn" or alert.muted
        return None if unheard else _EVENT_OF[alert.status]
    if alert.status != told.status:
        return _EVENT_OF[alert.status]
    if alert.status == "firing" and alert.severity > told.severity:
        return "escalated"
    return None if content_of(alert) == told.content else "updated"


_EVENT_OF: dict[AlertStatus, AlertEvent] = {
    "firing": "opened",
    "resolved": "resolved",
    "withdrawn": "withdrawn",
}


def quiet_until(feedback: AlertFeedback) -> float | None:
    """Until when, in epoch seconds, mere updates of the alert are not told; None for no change."""
    if feedback.action == "acknowledge":
        return math.inf
    return feedback.until.timestamp() if feedback.until else None


def message_id_of(alert: Alert) -> str:
    """Names a state of an alert for ever: whoever sends it again sends the same id."""
    return f"{alert.alert_id}-{alert.revision}{'-final' if alert.final else ''}"


def content_of(alert: Alert) -> str:
    """A hash of what a person would read of the alert."""
    said = msgspec.structs.replace(alert, revision=0, final=False, updated_at=alert.since)
    return blake2b(encode(said), digest_size=16).hexdigest()


def body_of(alert: Alert, event: AlertEvent) -> bytes:
    """The JSON that is sent: `{"type": "alert.opened", "timestamp": …, "data": the alert}`."""
    return msgspec.json.encode(Envelope(f"alert.{event}", alert.updated_at, alert))


def alert_in(body: bytes) -> tuple[AlertEvent, Alert]:
    """What `body_of` was made of."""
    envelope = msgspec.json.decode(body, type=Envelope)
    return msgspec.convert(envelope.type.removeprefix("alert."), AlertEvent), envelope.data
