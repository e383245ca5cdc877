"""New topics of one brand as incidents: a fold over its hours, what they open, what closes them."""

from __future__ import annotations

import math

import msgspec

from models.detection.evidence import worst_posts
from models.detection.incident import Incident
from models.detection.lifecycle import Budget
from models.detection.mood_detector import Rules
from models.detection.topic_memory import HOUR_SECONDS, Seen, TopicHour, TopicMemory
from schemas.records import Exemplar

DAY_SECONDS = 24 * HOUR_SECONDS
NEGATIVE = 0.5  # share of negative posts from which a new topic is no mere news
MILD, GRAVE = 4, 7  # highest severities without and with that


class TopicRules(msgspec.Struct, frozen=True, kw_only=True):
    """When a new topic is worth a person's attention, and for how long topics are known."""

    min_posts: int = 12
    min_authors: int = 8
    min_share: float = 0.1
    warm_up_hours: int = 24
    remember_days: int = 7
    gone_hours: int = 3

    def opens(self, seen: Seen, hour: TopicHour) -> bool:
        """Whether a topic is new, and of enough people and posts."""
        group = seen.group
        return (
            seen.is_new
            and group.posts >= max(self.min_posts, self.min_share * hour.pane)
            and group.authors >= self.min_authors
        )


class NewTopic(msgspec.Struct, kw_only=True):
    """A topic that opened an alert: how the incident stands, and the hour's posts at its peak."""

    topic_id: str
    terms: tuple[str, ...]
    incident: Incident
    hour_posts: int = 0
    evidence: list[Exemplar] = []

    def learn_one(self, seen: Seen, hour: TopicHour) -> None:
        """Take in an hour in which people talk about it."""
        group, incident = seen.group, self.incident
        incident.hot_windows += 1
        incident.last_hot = hour.end
        if group.posts >= incident.posts:
            incident.posts, incident.authors = group.posts, group.authors
            incident.share_negative = group.share_negative.mean
            incident.emotion, self.hour_posts = group.emotion, hour.pane
        if not self.evidence:
            self.evidence = list(group.exemplars)
        incident.reach = max(incident.reach, group.reach)
        incident.worst = worst_posts([*incident.worst, *group.exemplars])
        incident.severity = max(incident.severity, severity_of(incident, self.hour_posts))
        incident.opening_severity = incident.opening_severity or incident.severity


class TopicWatch(msgspec.Struct, kw_only=True):
    """What is known of a brand's topics after some hours, and which new ones are still talked of.

    Learns hours in the order of their ends; hours without posts are inferred from the distance.
    """

    memory: TopicMemory = msgspec.field(default_factory=TopicMemory)
    opened: list[NewTopic] = []
    told: list[str] = []
    budget: Budget = msgspec.field(default_factory=Budget)
    last_end: int | None = None

    def learn_one(
        self, brand: str, hour: TopicHour, rules: TopicRules, common: Rules
    ) -> tuple[list[Seen], list[NewTopic]]:
        """Fold in the next hour: its topics, and the new ones that were over before or by it."""
        closed = self.close_until(hour.end - 1, rules)
        remember = rules.remember_days * DAY_SECONDS
        found = self.memory.learn_one(brand, hour, rules.warm_up_hours, remember)
        for seen in found:
            self._follow(seen, hour, rules, common)
        known = {topic.topic_id for topic in self.memory.topics}
        self.told = [name for name in self.told if name in known]
        self.last_end = hour.end
        return found, closed + self.close_until(hour.end, rules)

    def close_until(self, now: int, rules: TopicRules) -> list[NewTopic]:
        """Close the new topics that nobody has talked of for long enough by `now`."""
        over = [topic for topic in self.opened if due_of(topic, rules) <= now]
        self.opened = [topic for topic in self.opened if due_of(topic, rules) > now]
        for topic in over:
            topic.incident.closed = due_of(topic, rules)
        return sorted(over, key=lambda topic: (topic.incident.last_hot, topic.topic_id))

    def next_close(self, rules: TopicRules) -> int | None:
        """When the next of them is over if nobody talks of it any more; None without one."""
        return min((due_of(topic, rules) for topic in self.opened), default=None)

    def _follow(self, seen: Seen, hour: TopicHour, rules: TopicRules, common: Rules) -> None:
        going_on = next((one for one in self.opened if one.topic_id == seen.topic_id), None)
        if going_on is not None:
            going_on.learn_one(seen, hour)
            if not common.is_maintenance(hour.end) and going_on.incident.muted == "maintenance":
                going_on.incident.muted = ""
        elif seen.topic_id not in self.told and rules.opens(seen, hour):
            self._open(seen, hour, common)

    def _open(self, seen: Seen, hour: TopicHour, common: Rules) -> None:
        incident = Incident(
            kind="new_topic", since=seen.first_seen, opened=hour.end, last_hot=hour.end
        )
        if common.is_maintenance(hour.end):
            incident.muted = "maintenance"
        elif not self.budget.admit("new_topic", hour.end, common.daily_budget):
            incident.muted = "budget"
        else:
            incident.folded = self.budget.take_folded()
        topic = NewTopic(topic_id=seen.topic_id, terms=seen.terms, incident=incident)
        topic.learn_one(seen, hour)
        self.opened.append(topic)
        self.told.append(seen.topic_id)


def due_of(topic: NewTopic, rules: TopicRules) -> int:
    """When a new topic is over if nobody talks of it any more."""
    return topic.incident.last_hot + rules.gone_hours * HOUR_SECONDS


def severity_of(incident: Incident, hour_posts: int) -> int:
    """1 to 10, low unless it is negative: 1 + 2·share + 1.5·reach, and 5·negative above a half.

    Share is that of the hour's posts, whole from a third on.
    """
    share = min(1.0, 3 * incident.posts / max(1, hour_posts))
    reach = min(1.0, math.log10(1 + incident.reach) / 7)
    negative = max(0.0, incident.share_negative - NEGATIVE) / (1 - NEGATIVE)
    highest = GRAVE if incident.share_negative >= NEGATIVE else MILD
    return min(highest, round(1 + 2 * share + 1.5 * reach + 5 * negative))
