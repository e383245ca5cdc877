"""An incident as an alert: title, evidence, cause and recommendation, from facts alone."""

from __future__ import annotations

from collections.abc import Sequence

from models.detection.decline import DECLINE
from models.detection.echoes import CAMPAIGN, VIRAL
from models.detection.emotion_levels import EMOTION, group_of
from models.detection.evidence import MAX_EVIDENCE
from models.detection.incident import Incident
from models.detection.incidents import alert_id, moment_of
from models.detection.mood_detector import IMAGES, NEGATIVITY, VOLUME
from models.detection.rhythm import SILENCE
from models.detection.terms import standing_out, terms_of
from schemas.records import Alert, Exemplar, Signal
from transforms.playbooks import Playbook, choose

LED_PICTURED = 3
PICTURED = 2
FACTS = {
    VOLUME: "{value:.0f} people posting where {expected:.0f} are usual",
    NEGATIVITY: "{value:.0%} negative where {expected:.0%} is usual",
    IMAGES: "posts with images at valence {value:+.2f} where {expected:+.2f} is usual",
    CAMPAIGN: "{value:.0%} of posts copy one text, by few accounts, where {expected:.0%} is usual",
    VIRAL: "one text shared by {value:.0%} of the people where {expected:.0%} is usual",
    EMOTION: "{group} at {value:.0%} where {expected:.0%} is usual",
    DECLINE: "valence has sunk to {value:+.2f} where {expected:+.2f} is usual",
    SILENCE: "where {expected:.0f} people are usual",
}


def alert_of(
    incident: Incident, brand: str, playbooks: Sequence[Playbook], updated: int | None = None
) -> Alert:
    """The alert that `incident` amounts to, as revision 0 and not final.

    `updated` is the end of the newest window folded in; a closed incident needs none.
    """
    return as_alert(
        incident,
        brand,
        playbooks,
        updated,
        alert_id=alert_id(brand, incident),
        title=title_of(incident, brand),
        signals=tuple(incident.signals[name] for name in sorted(incident.signals)),
        evidence=choose_evidence(incident),
        terms=cause_terms(incident, brand),
    )


def as_alert(
    incident: Incident,
    brand: str,
    playbooks: Sequence[Playbook],
    updated: int | None,
    *,
    alert_id: str,
    title: str,
    signals: tuple[Signal, ...],
    evidence: tuple[Exemplar, ...],
    terms: tuple[str, ...],
) -> Alert:
    """`incident` as an alert under that name, with what is said and shown of it."""
    playbook = choose(playbooks, incident, terms)
    seen = incident.closed or max(updated or 0, incident.last_hot)
    return Alert(
        alert_id=alert_id,
        brand=brand,
        kind=incident.kind,
        status="resolved" if incident.closed else "firing",
        severity=incident.severity,
        since=moment_of(incident.since),
        updated_at=moment_of(seen),
        resolved_at=moment_of(incident.closed) if incident.closed else None,
        revision=0,
        final=False,
        title=title,
        signals=signals,
        evidence=evidence,
        cause_terms=terms,
        recommendation=playbook.recommend(incident, brand, terms),
        playbook=playbook.id,
        escalated=incident.is_escalated,
        muted=bool(incident.muted),
        folded=incident.folded,
    )


def title_of(incident: Incident, brand: str) -> str:
    """One line that says what was seen against what is usual."""
    facts = " and ".join(_fact(signal) for signal in _in_order(incident))
    if incident.after is not None:
        return f"{brand}: {facts}; the mood is back after the {_words(incident.after)}"
    if incident.kind == "feed_silent":
        silent = _duration(incident.opened - incident.since)
        return f"{brand}: no post for {silent} {facts}"
    ending = f"; grew into a {_words(incident.grew_into)}" if incident.grew_into else ""
    return f"{brand}: {facts}{ending}{said_of_folded(incident)}"


def said_of_folded(incident: Incident) -> str:
    """How many alerts were muted before it, where there were some."""
    return f"; {incident.folded} lesser alerts before it were not told" if incident.folded else ""


def _in_order(incident: Incident) -> list[Signal]:
    """What makes the incident what it is, what its kind stands for first."""
    own = {signal.name: signal for signal in incident.own_signals()}
    order = (CAMPAIGN, VIRAL, EMOTION + incident.emotion, DECLINE, SILENCE)
    return [own[name] for name in (*order, IMAGES, NEGATIVITY, VOLUME) if name in own]


def _fact(signal: Signal) -> str:
    group = group_of(signal.name)
    words = FACTS[EMOTION if group else signal.name]
    return words.format(value=signal.value, expected=signal.expected, group=group)


def choose_evidence(incident: Incident) -> tuple[Exemplar, ...]:
    """The posts to look at, the most negative first; with images, most where images lead.

    A text that was shared or copied comes before all.
    """
    if incident.kind == "recovery":
        return ()
    pictured = [post for post in incident.pictured if post.valence < 0]
    chosen = incident.pictured[:LED_PICTURED] if incident.led_by_images else pictured[:PICTURED]
    rest = [*incident.worst, *incident.pictured]
    for post in rest:
        if len(chosen) < MAX_EVIDENCE and post not in chosen:
            chosen = [*chosen, post]
    ranked = sorted(chosen, key=lambda p: (p.valence, -p.reach, p.channel, p.post_id))
    echoed = [incident.echoed] if incident.echoed else []
    return tuple([*echoed, *(post for post in ranked if post not in echoed)][:MAX_EVIDENCE])


def cause_terms(incident: Incident, brand: str) -> tuple[str, ...]:
    """Words that stand out in the incident against the brand's own past, without its name."""
    own = {*terms_of(brand), *(f"#{term}" for term in terms_of(brand))}
    seen = {term: count for term, count in incident.terms.items() if term not in own}
    return standing_out(seen, incident.usual_terms)


def _duration(seconds: int) -> str:
    hours, minutes = divmod(seconds // 60, 60)
    return " ".join(f"{n} {unit}" for n, unit in ((hours, "h"), (minutes, "min")) if n)


def _words(kind: str | None) -> str:
    return (kind or "").replace("_", " ")
