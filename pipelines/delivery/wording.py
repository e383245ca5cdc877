"""An alert in words, for people: composed from its facts, nothing added."""

from __future__ import annotations

from pipelines.delivery.events import AlertEvent
from schemas.records import Alert, Exemplar

SHOWN_POSTS = 3
SHOWN_CHARACTERS = 280
WHAT_HAPPENED: dict[AlertEvent, str] = {
    "opened": "New",
    "escalated": "Worse",
    "updated": "Changed",
    "resolved": "Over",
    "withdrawn": "Withdrawn",
}


def subject(event: AlertEvent, alert: Alert) -> str:
    """One line: what happened, how grave, and the alert's own title."""
    return f"[{WHAT_HAPPENED[event]}, severity {alert.severity} of 10] {alert.title}"


def body_text(event: AlertEvent, alert: Alert, page_url: str | None = None) -> str:
    """What a person needs to act: since when, why, what to do, which posts, where to look."""
    since = f"{alert.since:%Y-%m-%d %H:%M} UTC"
    parts = [
        f"{alert.brand}: {alert.kind.replace('_', ' ')} since {since}{_end(event, alert)}.",
        f"People talk about: {', '.join(alert.cause_terms)}." if alert.cause_terms else "",
        alert.recommendation if alert.status == "firing" else "",
        "\n".join(["Posts to look at:", *map(_post, alert.evidence[:SHOWN_POSTS])])
        if alert.evidence and alert.status == "firing"
        else "",
        link_to(alert.alert_id, page_url) if page_url else "",
    ]
    return "\n\n".join(part for part in parts if part)


def link_to(alert_id: str, page_url: str) -> str:
    """Where the live page shows the alert of that id."""
    return f"{page_url.rstrip('/')}/#alert={alert_id}"


def _end(event: AlertEvent, alert: Alert) -> str:
    if event == "withdrawn":
        return "; posts that came late show that it does not stand"
    if alert.resolved_at is None:
        return ""
    return f", over at {alert.resolved_at:%Y-%m-%d %H:%M} UTC"


def _post(post: Exemplar) -> str:
    text = " ".join(post.text.split())
    short = text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"
    return f"- {short}" + (f"\n  {post.permalink}" if post.permalink else "")
