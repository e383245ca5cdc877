"""A new topic as an alert: title, evidence, words and recommendation, from facts alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from models.detection.evidence import MAX_EVIDENCE
from models.detection.topic_watch import NewTopic
from schemas.records import Alert, Exemplar, Signal
from transforms.playbooks import Playbook, choose

NEW_TOPIC = "topic_share"


def alert_of_topic(
    topic: NewTopic, brand: str, playbooks: Sequence[Playbook], updated: int | None = None
) -> Alert:
    """The alert that a new topic amounts to, as revision 0 and not final.

    `updated` is the end of the newest hour folded in; a topic that is over needs none.
    """
    incident = topic.incident
    playbook = choose(playbooks, incident, topic.terms)
    seen = incident.closed or max(updated or 0, incident.last_hot)
    return Alert(
        alert_id=alert_id_of(brand, topic.topic_id),
        brand=brand,
        kind="new_topic",
        status="resolved" if incident.closed else "firing",
        severity=incident.severity,
        since=_moment(incident.since),
        updated_at=_moment(seen),
        resolved_at=_moment(incident.closed) if incident.closed else None,
        revision=0,
        final=False,
        title=title_of(topic, brand),
        signals=(share_of(topic),),
        evidence=evidence_of(topic),
        cause_terms=topic.terms,
        recommendation=playbook.recommend(incident, brand, topic.terms),
        playbook=playbook.id,
        escalated=incident.is_escalated,
        muted=bool(incident.muted),
        folded=incident.folded,
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
    folded = f"; {incident.folded} lesser alerts before it were not told" if incident.folded else ""
    return (
        f"{brand}: people talk about “{', '.join(topic.terms)}”, which is new: "
        f"{incident.posts} posts by {incident.authors} people or more in an hour, "
        f"{incident.share_negative:.0%} negative{folded}"
    )


def alert_id_of(brand: str, topic_id: str) -> str:
    """Name of the alert: a hash of brand, kind and topic, the same in every replay."""
    identity = f"{brand}\x1fnew_topic\x1f{topic_id}".encode()
    return hashlib.blake2b(identity, digest_size=8).hexdigest()


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
