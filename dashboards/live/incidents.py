"""Alerts as the page knows them: the newest state, the course until then, what people did."""

from __future__ import annotations

from datetime import datetime

import msgspec

from dashboards.live.journal import Journal
from schemas.records import Alert, AlertFeedback, AlertStatus

MAX_ALERTS = 200
MAX_TURNS = 60  # of one alert; the first and the newest are kept
FEEDBACK_PER_ALERT = 3  # an acknowledgement, a snooze, a verdict


class Turn(msgspec.Struct, frozen=True):
    """A state of an alert that was graver, milder or another than the one before."""

    at: datetime
    status: AlertStatus
    severity: int


class Incidents:
    """Alerts and feedback in, any order and any number of times; bounded.

    Beyond `most` alerts the oldest that are over are forgotten first, with their course.
    """

    def __init__(self, most: int = MAX_ALERTS) -> None:
        self.alerts: Journal[str, Alert] = Journal()
        self.feedback: Journal[str, AlertFeedback] = Journal()
        self._most = most
        self._turns: dict[str, list[Turn]] = {}

    def add(self, alert: Alert, version: int) -> bool:
        """Fold one state in as of `version`; whether it is news."""
        known = self.alerts.get(alert.alert_id)
        if known and alert.rank <= known.rank:
            return False
        if known is None or (known.status, known.severity) != (alert.status, alert.severity):
            self._turn(alert)
        self.alerts.put(alert.alert_id, alert, version)
        if len(self.alerts) > self._most:
            dropped = min(self.alerts.values(), key=_least_needed).alert_id
            self.alerts.drop(dropped)
            self._turns.pop(dropped, None)
        return True

    def add_feedback(self, feedback: AlertFeedback, version: int) -> bool:
        """Fold in what a person did as of `version`; whether it is news."""
        known = self.feedback.get(feedback.key)
        if known and feedback.at <= known.at:
            return False
        self.feedback.put(feedback.key, feedback, version)
        if len(self.feedback) > self._most * FEEDBACK_PER_ALERT:
            self.feedback.drop(next(self.feedback.values()).key)
        return True

    def turns(self, alert_id: str) -> tuple[Turn, ...]:
        """The course of an alert as far as it was seen here, oldest first."""
        return tuple(self._turns.get(alert_id, ()))

    def handling(self, alert_id: str) -> list[AlertFeedback]:
        """What people did about an alert, oldest first."""
        found = (given for given in self.feedback.values() if given.alert_id == alert_id)
        return sorted(found, key=lambda given: given.at)

    def _turn(self, alert: Alert) -> None:
        turns = self._turns.setdefault(alert.alert_id, [])
        turns.append(Turn(alert.resolved_at or alert.updated_at, alert.status, alert.severity))
        if len(turns) > MAX_TURNS:
            del turns[1]


def _least_needed(alert: Alert) -> tuple[bool, float]:
    return alert.status == "firing", alert.since.timestamp()
