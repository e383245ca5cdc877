"""Alertmanager: what fires now, told again and again, since it forgets what it is not told.

Unlike a message, which is sent until it is taken, this is a state: each round posts all alerts
that fire and those that ended lately. Grouping, silences and inhibition stay Alertmanager's.
API: Prometheus Alertmanager, `POST /api/v2/alerts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from pipelines.delivery.outbound import Outbound
from pipelines.delivery.receivers import Wishes
from pipelines.delivery.wording import link_to
from schemas.records import Alert

RESOLVED_SECONDS = 900.0  # an end is told this long, as Prometheus does
MISSED_ROUNDS = 4  # it takes an alert as over once so many rounds were missed
WARNING, CRITICAL = 4, 7


def level_of(severity: int) -> str:
    """Prometheus' usual word for a severity of 1 to 10.

    >>> [level_of(severity) for severity in (3, 4, 7)]
    ['info', 'warning', 'critical']
    """
    if severity >= CRITICAL:
        return "critical"
    return "warning" if severity >= WARNING else "info"


def as_posted(
    alert: Alert, level: str, now: datetime, repeat_seconds: float, page_url: str | None
) -> dict[str, Any]:
    """An alert as Alertmanager takes it.

    Labels name it, so they must stay: `level` is the graveness under which it is filed, and an
    alert whose level changes is ended under the old one. Times of events may lie ahead of the
    clock when a recorded day is played fast; Alertmanager would not show them before.
    """
    starts = min(alert.since, now)
    if alert.status == "firing" and level == level_of(alert.severity):
        ends = now + timedelta(seconds=MISSED_ROUNDS * repeat_seconds)
    else:
        ends = max(min(alert.resolved_at or now, now), starts)
    posted = {
        "labels": {
            "alertname": f"Moodwire_{alert.kind}",
            "brand": alert.brand,
            "kind": alert.kind,
            "severity": level,
            "alert_id": alert.alert_id,
        },
        "annotations": {
            "summary": alert.title,
            "description": alert.recommendation,
            "moodwire_severity": str(alert.severity),
            "cause": ", ".join(alert.cause_terms),
            "posts": " ".join(p.permalink for p in alert.evidence if p.permalink),
        },
        "startsAt": starts,
        "endsAt": ends,
    }
    if page_url:
        posted["generatorURL"] = link_to(alert.alert_id, page_url)
    return posted


@dataclass
class Alertmanager:
    """Posts rounds of alerts to one Alertmanager.

    Attributes:
        wishes: which alerts it hears of.
        outbound: posts to its `/api/v2/alerts`.
        repeat_seconds: how often a round is posted; also at once when something changed.
        page_url: where the live page is, for links.
    """

    wishes: Wishes
    outbound: Outbound
    repeat_seconds: float
    page_url: str | None = None

    def __post_init__(self) -> None:
        self._levels: dict[str, set[str]] = {}

    def post(self, alerts: list[Alert], now: datetime | None = None) -> None:
        """One round.

        Raises:
            OSError: it is away or did not take them.
        """
        moment = now or datetime.now(UTC)
        wanted = [a for a in alerts if self.wishes.include(a) and not a.muted]
        posted = [
            as_posted(alert, level, moment, self.repeat_seconds, self.page_url)
            for alert in wanted
            for level in self._levels_of(alert)
        ]
        if not posted:
            return
        answer = self.outbound.post(msgspec.json.encode(posted), {})
        if answer.refusal is not None:
            raise OSError(answer.refusal)

    def _levels_of(self, alert: Alert) -> list[str]:
        """The level that it has now, and those under which it was filed before."""
        filed = self._levels.setdefault(alert.alert_id, set())
        filed.add(level_of(alert.severity))
        return sorted(filed)

    def close(self) -> None:
        """Close connections."""
        self.outbound.close()
