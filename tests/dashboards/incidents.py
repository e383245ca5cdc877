"""The alerts of the invented day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from schemas.records import (
    Alert,
    AlertFeedback,
    AlertKind,
    AlertStatus,
    FeedbackAction,
    Signal,
    Verdict,
)
from tests.dashboards.story import CRISIS_HOUR, DAY, EVIDENCE, VOICES, Voice, exemplar


def at(hour: float) -> datetime:
    """That hour of the day."""
    return DAY + timedelta(hours=hour)


def an_alert(
    alert_id: str,
    brand: str,
    *,
    kind: AlertKind = "crisis",
    status: AlertStatus = "firing",
    severity: int = 8,
    hours: tuple[float, float] = (14.2, 16.5),
    title: str = "",
    signals: tuple[Signal, ...] = (),
    voices: tuple[Voice, ...] = (),
    terms: tuple[str, ...] = (),
    recommendation: str = "",
    revision: int = 1,
) -> Alert:
    """One alert state."""
    since, updated = at(hours[0]), at(hours[1])
    return Alert(
        alert_id=alert_id,
        brand=brand,
        kind=kind,
        status=status,
        severity=severity,
        since=since,
        updated_at=updated,
        resolved_at=None if status == "firing" else updated,
        revision=revision,
        final=False,
        title=title or f"{kind} at {brand}",
        signals=signals,
        evidence=tuple(
            exemplar(voice, since + timedelta(minutes=3 * n), f"{alert_id}-{n}")
            for n, voice in enumerate(voices)
        ),
        cause_terms=terms,
        recommendation=recommendation,
        playbook=kind.replace("_", "-"),
    )


def build_alerts() -> Iterator[Alert]:
    """A crisis that pictures lead, with what came before it, and three quieter incidents."""
    yield an_alert(
        "a1",
        "Nordbrew",
        kind="negativity_surge",
        status="resolved",
        severity=5,
        hours=(9.4, 10.9),
        title="Nordbrew: 61% negative where 19% is usual",
        signals=(Signal(name="share_negative", value=0.61, expected=0.19, score=5.8),),
        voices=VOICES["Nordbrew"][1:2],
        terms=("sour", "milk", "refund"),
        recommendation="For customer care, because 61% of posts are negative: 1. Answer this "
        "morning's complaints by name. 2. Say what was wrong.",
    )
    yield an_alert(
        "a2",
        "Pixelpine",
        kind="volume_spike",
        status="resolved",
        severity=3,
        hours=(12.1, 13.6),
        title="Pixelpine: 128 people posting where 25 are usual",
        signals=(Signal(name="volume", value=128, expected=25, score=9.2),),
        voices=VOICES["Pixelpine"][:1],
        terms=("night mode", "launch"),
        recommendation="For the launch team: 1. Thank early posters. 2. Pin the launch answers.",
    )
    yield an_alert(
        "a3",
        "Aerolume",
        kind="volume_spike",
        severity=6,
        hours=(14.3, 16.5),
        title="Aerolume: 221 people posting where 26 are usual",
        signals=(Signal(name="volume", value=221, expected=26, score=11.4),),
        voices=EVIDENCE[2:],
        terms=("delayed", "gate", "hotel"),
        recommendation="For customer care: 1. Staff the gate channel. 2. Post a waiting-time "
        "estimate every 20 minutes.",
    )
    yield from (_crisis(revision, severity) for revision, severity in enumerate((6, 8, 9), 1))


def _crisis(revision: int, severity: int) -> Alert:
    return an_alert(
        "a4",
        "Aerolume",
        kind="image_led_crisis",
        severity=severity,
        hours=(CRISIS_HOUR, 14.5 + revision * 0.6),
        title="Aerolume: posts with images at valence -0.71 where +0.18 is usual and 74% negative "
        "where 22% is usual",
        signals=(
            Signal(name="image_valence", value=-0.71, expected=0.18, score=12.6),
            Signal(name="share_negative", value=0.74, expected=0.22, score=10.1),
            Signal(name="volume", value=214, expected=26, score=11.2),
        ),
        voices=EVIDENCE,
        terms=("smoke", "cabin", "AL482", "masks", "emergency landing"),
        recommendation="For the communications lead, because images drive the mood and words "
        "follow them: 1. Confirm that everyone is safe, in every channel that carries the "
        "pictures. 2. Pause scheduled posts. 3. Name one spokesperson. Wording to start from: "
        "“Everyone on board AL482 is safe. We will say more as soon as we know it.”",
        revision=revision,
    )


NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def some_feedback(
    alert_id: str,
    action: FeedbackAction = "acknowledge",
    *,
    by: str = "Ada",
    at: datetime = NOON,
    note: str = "",
    verdict: Verdict | None = None,
    until: datetime | None = None,
) -> AlertFeedback:
    """What a person did; a snooze is of an hour and a verdict `true` unless given."""
    if action == "snooze":
        until = until or at + timedelta(hours=1)
    if action == "verdict":
        verdict = verdict or "true"
    return AlertFeedback(
        alert_id=alert_id, action=action, by=by, at=at, note=note, verdict=verdict, until=until
    )
