"""An incident as an alert: title, evidence, cause and recommendation, from facts alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from models.detection.incidents import MAX_EVIDENCE, Incident, alert_id
from models.detection.mood_detector import IMAGES, NEGATIVITY, VOLUME
from models.detection.terms import standing_out, terms_of
from schemas.records import Alert, Exemplar, Signal
from transforms.playbooks import Playbook, choose

LED_PICTURED = 3
PICTURED = 2


def alert_of(
    incident: Incident, brand: str, playbooks: Sequence[Playbook], updated: int | None = None
) -> Alert:
    """The alert that `incident` amounts to, as revision 0 and not final.

    `updated` is the end of the newest window folded in; a closed incident needs none.
    """
    terms = cause_terms(incident, brand)
    playbook = choose(playbooks, incident, terms)
    seen = incident.closed or updated or incident.last_hot
    return Alert(
        alert_id=alert_id(brand, incident),
        brand=brand,
        kind=incident.kind,
        status="resolved" if incident.closed else "firing",
        severity=incident.severity,
        since=_moment(incident.since),
        updated_at=_moment(seen),
        resolved_at=_moment(incident.closed) if incident.closed else None,
        revision=0,
        final=False,
        title=title_of(incident, brand),
        signals=tuple(incident.signals[name] for name in sorted(incident.signals)),
        evidence=choose_evidence(incident),
        cause_terms=terms,
        recommendation=playbook.recommend(incident, brand, terms),
        playbook=playbook.id,
    )


def title_of(incident: Incident, brand: str) -> str:
    """One line that says what was seen against what is usual."""
    order = (IMAGES, NEGATIVITY, VOLUME)
    facts = [_fact(incident.signals[name]) for name in order if name in incident.signals]
    ending = f"; grew into a {_words(incident.grew_into)}" if incident.grew_into else ""
    return f"{brand}: {' and '.join(facts)}{ending}"


def _fact(signal: Signal) -> str:
    if signal.name == VOLUME:
        return f"{signal.value:.0f} people posting where {signal.expected:.0f} are usual"
    if signal.name == NEGATIVITY:
        return f"{signal.value:.0%} negative where {signal.expected:.0%} is usual"
    return f"posts with images at valence {signal.value:+.2f} where {signal.expected:+.2f} is usual"


def choose_evidence(incident: Incident) -> tuple[Exemplar, ...]:
    """The posts to look at, the most negative first; with images, most where images lead."""
    pictured = [post for post in incident.pictured if post.valence < 0]
    chosen = incident.pictured[:LED_PICTURED] if incident.led_by_images else pictured[:PICTURED]
    rest = [*incident.worst, *incident.pictured]
    for post in rest:
        if len(chosen) < MAX_EVIDENCE and post not in chosen:
            chosen = [*chosen, post]
    return tuple(sorted(chosen, key=lambda p: (p.valence, -p.reach, p.channel, p.post_id)))


def cause_terms(incident: Incident, brand: str) -> tuple[str, ...]:
    """Words that stand out in the incident against the brand's own past, without its name."""
    own = {*terms_of(brand), *(f"#{term}" for term in terms_of(brand))}
    seen = {term: count for term, count in incident.terms.items() if term not in own}
    return standing_out(seen, incident.usual_terms)


def _words(kind: str | None) -> str:
    return (kind or "").replace("_", " ")


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
