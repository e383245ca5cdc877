"""What is known and what was told of one brand's topics, whatever the order of its hours."""

from __future__ import annotations

import msgspec

from models.detection.incidents import moment_of
from models.detection.topic_memory import HOUR_SECONDS, Seen, TopicHour
from models.detection.topic_watch import NewTopic, TopicRules, TopicWatch
from schemas.records import OTHER, Alert, Estimate, Topic
from transforms.ledger import Terms, news_among, settled, withdraw
from transforms.topic_alerting import alert_of_topic

NOTHING = Estimate(0.0, 0.0, 1.0), Estimate(0.0, -1.0, 1.0)


class TopicTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The settings that topics are followed by: their own, and those of all alerts."""

    rules: TopicRules
    alerts: Terms


class Told(msgspec.Struct, kw_only=True):
    """What comes of a look: topics of hours, and alerts about new ones."""

    topics: list[Topic] = []
    alerts: list[Alert] = []


class TopicLedger(msgspec.Struct, kw_only=True):
    """Committed hours folded for good, the hours that late posts may change, and what was told.

    As `transforms.ledger.Ledger` does with windows: `advance` commits the hours that are final in
    the order of their ends, then folds the others on a copy and tells where that differs from what
    was told. `shown` are the topics told of each hour that is not committed.
    """

    brand: str
    committed: TopicWatch = msgspec.field(default_factory=TopicWatch)
    pending: dict[int, TopicHour] = {}
    told: dict[str, Alert] = {}
    shown: dict[int, list[Topic]] = {}
    clock: int = 0
    idle_at: int | None = None

    def learn_one(self, hour: TopicHour) -> None:
        """Keep the newest pane of an hour; panes of committed hours say nothing new."""
        if self.committed.last_end is not None and hour.end <= self.committed.last_end:
            return
        known = self.pending.get(hour.end)
        if known is None or (hour.final, hour.pane) >= (known.final, known.pane):
            self.pending[hour.end] = hour

    def advance(self, now: int, terms: TopicTerms) -> Told:
        """What is to be told once the watermark has reached `now`."""
        self.clock = max(self.clock, now)
        told = self._commit(terms)
        for alert in told.alerts:
            self.told.pop(alert.alert_id, None)
        return self._look(told, terms)

    def next_commit(self, terms: TopicTerms) -> int | None:
        """When the watermark allows to commit all that is final; None if nothing waits for it."""
        finals = [end for end, hour in self.pending.items() if hour.final]
        due = max(finals, default=self.committed.next_close(terms.rules))
        return None if due is None else due + terms.alerts.lateness + 1

    def _commit(self, terms: TopicTerms) -> Told:
        frontier = self.clock - terms.alerts.lateness - 1
        told, common = Told(), terms.alerts.rules_of(self.brand)
        closed: list[NewTopic] = []
        for end in sorted(end for end in self.pending if end <= frontier):
            hour = self.pending.pop(end)
            found, gone = self.committed.learn_one(self.brand, hour, terms.rules, common)
            closed += gone
            topics = topics_of(self.brand, hour, found, final=True)
            told.topics += [*_gone(self.shown.pop(end, []), topics), *topics]
        closed += self.committed.close_until(frontier, terms.rules)
        for topic in closed:
            alert = alert_of_topic(topic, self.brand, terms.alerts.playbooks)
            over = topic.incident.closed or topic.incident.last_hot
            told.alerts.append(settled(alert, over, terms.alerts.lateness, HOUR_SECONDS))
        return told

    def _look(self, told: Told, terms: TopicTerms) -> Told:
        watch = msgspec.msgpack.decode(msgspec.msgpack.encode(self.committed), type=TopicWatch)
        common = terms.alerts.rules_of(self.brand)
        closed: list[NewTopic] = []
        for end in sorted(end for end in self.pending if end <= self.clock):
            found, over = watch.learn_one(self.brand, self.pending[end], terms.rules, common)
            closed += over
            if end not in self.shown:
                self.shown[end] = topics_of(self.brand, self.pending[end], found, final=False)
                told.topics += self.shown[end]
        closed += watch.close_until(self.clock - 1, terms.rules)
        self.idle_at = watch.next_close(terms.rules)
        horizon = watch.last_end or self.clock
        current = [
            alert_of_topic(topic, self.brand, terms.alerts.playbooks, horizon)
            for topic in [*closed, *watch.opened]
        ]
        told.alerts += self._changes(current, horizon)
        return told

    def _changes(self, current: list[Alert], horizon: int) -> list[Alert]:
        names = {alert.alert_id for alert in current}
        gone = [alert for name, alert in self.told.items() if name not in names]
        for alert in gone:
            settled_at = self.committed.last_end or 0
            if alert.status == "withdrawn" and alert.updated_at <= moment_of(settled_at):
                del self.told[alert.alert_id]
        undone = [withdraw(alert, horizon) for alert in gone if alert.status != "withdrawn"]
        news = news_among([*current, *undone], self.told, horizon, HOUR_SECONDS)
        self.told |= {alert.alert_id: alert for alert in news}
        return news


def topics_of(brand: str, hour: TopicHour, found: list[Seen], *, final: bool) -> list[Topic]:
    """The topics of an hour as records, the largest first, and what is in none of them."""
    other = _other(brand, hour, final)
    return [*(_record(other, seen) for seen in found), *([other] if other.posts else [])]


def _record(other: Topic, seen: Seen) -> Topic:
    group = seen.group
    return msgspec.structs.replace(
        other,
        topic_id=seen.topic_id,
        terms=seen.terms,
        posts=group.posts,
        authors=group.authors,
        share_negative=group.share_negative,
        valence=group.valence,
        exemplars=group.exemplars,
        first_seen=moment_of(seen.first_seen),
        is_new=seen.is_new,
    )


def _other(brand: str, hour: TopicHour, final: bool) -> Topic:
    share, valence = NOTHING
    return Topic(
        brand=brand,
        window_start=moment_of(hour.start),
        window_end=moment_of(hour.end),
        topic_id=OTHER,
        terms=(),
        pane_index=hour.pane,
        timing="final" if final else "on_time",
        final=final,
        posts=hour.other,
        posts_of_hour=hour.pane,
        authors=0,
        share_negative=share,
        valence=valence,
        exemplars=(),
        first_seen=moment_of(hour.start),
        is_new=False,
    )


def _gone(shown: list[Topic], topics: list[Topic]) -> list[Topic]:
    """Topics that were told and that the final hour does not hold: nobody's, and never final."""
    names = {topic.topic_id for topic in topics}
    return [
        msgspec.structs.replace(topic, posts=0, authors=0, exemplars=(), is_new=False)
        for topic in shown
        if topic.topic_id not in names
    ]
