"""A new topic as an alert: title, evidence, words and recommendation, from facts alone."""

from __future__ import annotations

from collections.abc import Sequence

from models.detection.evidence import MAX_EVIDENCE
from models.detection.incidents import hashed_id
from models.detection.topic_watch import NewTopic
from schemas.records import Alert, Exemplar, Signal
from transforms.alerting import as_alert, said_of_folded
from transforms.playbooks import Playbook

NEW_TOPIC = "topic_share"


def alert_of_topic(
    topic: NewTopic, brand: str, playbooks: Sequence[Playbook], updated: int | None = None
) -> Alert:
    """The alert that a new topic amounts to, as revision 0 and not final.

    `updated` is the end of the newest hour folded in; a topic that is over needs none.
    """
    return as_alert(
        topic.incident,
        brand,
        playbooks,
        updated,
        alert_id=hashed_id(brand, topic.incident.kind, topic.topic_id),
        title=title_of(topic, brand),
        signals=(share_of(topic),),
        evidence=evidence_of(topic),
        terms=topic.terms,
    )


def evidence_of(topic: NewTopic) -> tuple[Exemplar, ...]:
    """Posts of its first hour that say best what it is about, then the most negative ones."""
    worst = (post for post in topic.incident.worst if post not in topic.evidence)
    return (*topic.evidence, *worst)[:MAX_EVIDENCE]


def share_of(topic: NewTopic) -> Signal:
    """How much of the hour it was about at its peak, where nothing of it is usual."""
    share = round(topic.incident.posts / max(1, topic.hour_posts), 4)
    return Signal(name=NEW_TOPIC, value=share, expected=0.0, score=0.0)


def title_of(topic: NewTopic, brand: str) -> str:
    """One line that names it and says how many people talk about it."""
    incident = topic.incident
    return (
        f"{brand}: people talk about “{', '.join(topic.terms)}”, which is new: "
        f"{incident.posts} posts by {incident.authors} people or more in an hour, "
        f"{incident.share_negative:.0%} negative{said_of_folded(incident)}"
    )
