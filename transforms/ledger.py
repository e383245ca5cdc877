"""What is known and what was told of one brand's incidents, whatever the order of its panes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from models.detection.incident import Incident
from models.detection.incidents import Watch, epoch, moment_of
from models.detection.mood_detector import Rules
from schemas.records import Alert, Trend
from transforms.alerting import alert_of
from transforms.playbooks import Playbook

REVISIONS_PER_PERIOD = 1000


class Maintenance(msgspec.Struct, frozen=True):
    """A span of epoch seconds in which nobody is told of what opens; of every brand where None."""

    brand: str | None
    start: int
    end: int


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """The settings that a ledger is kept by; period and lateness in seconds.

    `is_live` says that the input has no end: only then is silence that no post has ended told,
    since the end of a file is no silence.
    """

    rules: Rules
    playbooks: tuple[Playbook, ...]
    period: int
    lateness: int
    maintenance: tuple[Maintenance, ...] = ()
    is_live: bool = False

    def rules_of(self, brand: str) -> Rules:
        """The rules with the maintenance of one brand."""
        spans = tuple((m.start, m.end) for m in self.maintenance if m.brand in {None, brand})
        return msgspec.structs.replace(self.rules, maintenance=spans) if spans else self.rules


class Ledger(msgspec.Struct, kw_only=True):
    """Committed windows folded for good, newest panes of the others, and the alerts told.

    `advance` first commits the windows that no late post can change, in the order of their ends;
    what they close is told once as final, a pure function of the final trends. Then it folds the
    pending windows on a copy, and tells where that differs from what was told before. `clock` is
    the newest watermark seen, `width` that of a window, `idle_at` when silence ends an incident or
    becomes one.
    """

    brand: str
    committed: Watch = msgspec.field(default_factory=Watch)
    pending: dict[int, Trend] = {}
    told: dict[str, Alert] = {}
    width: int = 0
    clock: int = 0
    idle_at: int | None = None

    def learn_one(self, trend: Trend) -> None:
        """Keep the newest pane of a window; panes of committed windows say nothing new."""
        end = epoch(trend.window_end)
        self.width = end - epoch(trend.window_start)
        if self.committed.last_end is not None and end <= self.committed.last_end:
            return
        known = self.pending.get(end)
        if known is None or (trend.final, trend.pane_index) >= (known.final, known.pane_index):
            self.pending[end] = trend

    def advance(self, now: int, terms: Terms) -> list[Alert]:
        """What is to be told once the watermark has reached `now`."""
        self.clock = max(self.clock, now)
        finals = [self._final(incident, terms) for incident in self._commit(terms)]
        for alert in finals:
            self.told.pop(alert.alert_id, None)
        return finals + self._changes(terms)

    def next_commit(self, terms: Terms) -> int | None:
        """When the watermark allows to commit all that is final; None if nothing waits for it."""
        finals = [end for end, trend in self.pending.items() if trend.final]
        due = max(finals, default=self.committed.idle_close(self.width, terms.period))
        return None if due is None else due + terms.lateness + 1

    def _commit(self, terms: Terms) -> list[Incident]:
        frontier = self.clock - terms.lateness - 1
        closed: list[Incident] = []
        rules = terms.rules_of(self.brand)
        for end in sorted(end for end in self.pending if end <= frontier):
            closed += self.committed.learn_one(self.pending.pop(end), rules, terms.period)
        return closed + self.committed.close_if_idle(frontier, self.width, terms.period)

    def _changes(self, terms: Terms) -> list[Alert]:
        watch, found = self._provisional(terms)
        horizon = watch.last_end or self.clock
        self.idle_at = self._next_idle(watch, terms)
        current = [alert_of(i, self.brand, terms.playbooks, horizon) for i in found]
        gone = self._withdrawn({alert.alert_id for alert in current}, horizon)
        news = news_among([*current, *gone], self.told, horizon, terms.period)
        self.told |= {alert.alert_id: alert for alert in news}
        return news

    def _provisional(self, terms: Terms) -> tuple[Watch, list[Incident]]:
        """The fold of all windows whose end has passed, and the incidents that it leaves open."""
        watch = msgspec.msgpack.decode(msgspec.msgpack.encode(self.committed), type=Watch)
        found: list[Incident] = []
        rules = terms.rules_of(self.brand)
        for end in sorted(end for end in self.pending if end <= self.clock):
            found += watch.learn_one(self.pending[end], rules, terms.period)
        found += watch.close_if_idle(self.clock - 1, self.width, terms.period)
        found += [watch.incident] if watch.incident else []
        silence = self._silence(watch, terms)
        return watch, found + ([silence] if silence and silence.opened < self.clock else [])

    def _silence(self, watch: Watch, terms: Terms) -> Incident | None:
        """The silence that opens if nobody posts any more, where the input has no end."""
        return watch.silent_from(self.width, terms.rules_of(self.brand)) if terms.is_live else None

    def _next_idle(self, watch: Watch, terms: Terms) -> int | None:
        """When silence next has something to tell: a moment that the clock has not reached."""
        silence = self._silence(watch, terms)
        opens = silence.opened if silence else None
        dues = (watch.idle_close(self.width, terms.period), opens)
        return min((due + 1 for due in dues if due is not None and due >= self.clock), default=None)

    def _withdrawn(self, current: set[str], horizon: int) -> list[Alert]:
        """Alerts told that stand no more; forgotten once their first window is committed."""
        gone = [alert for name, alert in self.told.items() if name not in current]
        for alert in gone:
            opened = epoch(alert.since) + self.width
            if alert.status == "withdrawn" and opened <= (self.committed.last_end or 0):
                del self.told[alert.alert_id]
        return [withdraw(alert, horizon) for alert in gone if alert.status != "withdrawn"]

    def _final(self, incident: Incident, terms: Terms) -> Alert:
        """What is told last: its revision is above every earlier one, and a pure function too."""
        alert = alert_of(incident, self.brand, terms.playbooks)
        return settled(alert, incident.closed or incident.last_hot, terms.lateness, terms.period)


def news_among(
    alerts: Iterable[Alert], told: Mapping[str, Alert], horizon: int, period: int
) -> list[Alert]:
    """Those of `alerts` that say something new, each with its next revision."""
    found = (revised(alert, told.get(alert.alert_id), horizon, period) for alert in alerts)
    return [alert for alert in found if alert is not None]


def revised(alert: Alert, told: Alert | None, horizon: int, period: int) -> Alert | None:
    """`alert` with the next revision; None if it says nothing new or was said too often."""
    if told is not None and news_of(told) == news_of(alert):
        return None
    first = first_revision(alert, horizon, period)
    revision = max(first, told.revision + 1 if told else first)
    if revision >= first + REVISIONS_PER_PERIOD - 1:
        return None
    return msgspec.structs.replace(alert, revision=revision)


def settled(alert: Alert, closed: int, lateness: int, period: int) -> Alert:
    """`alert` as told last, with a revision above all earlier ones, a function of the posts too."""
    revision = first_revision(alert, closed + lateness + 2 * period, period)
    return msgspec.structs.replace(alert, revision=revision, final=True)


def first_revision(alert: Alert, horizon: int, period: int) -> int:
    """Revision of the first thing told about `alert` with windows folded up to `horizon`.

    1000 a period since the alert's first window, plus one for each change told within a period.
    Late posts can thus be told of at once, and what is final comes out the same without them.
    """
    return REVISIONS_PER_PERIOD * max(0, (horizon - epoch(alert.since)) // period) + 1


def news_of(alert: Alert) -> tuple[Any, ...]:
    """What makes a state of an alert worth telling: better evidence alone does not."""
    return (
        alert.status,
        alert.resolved_at,
        alert.severity,
        alert.playbook,
        alert.cause_terms,
        len(alert.evidence),
        alert.escalated,
        alert.muted,
    )


def withdraw(alert: Alert, horizon: int) -> Alert:
    """`alert` as told when late posts undid it. Never final: another order would not tell it."""
    moment = moment_of(horizon)
    return msgspec.structs.replace(
        alert, status="withdrawn", updated_at=moment, resolved_at=moment, final=False
    )
