"""Alerts as annotations: when they were, what they say, and where to look on."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any, Literal

from dashboards.grafana.board import TAG
from dashboards.grafana.client import Grafana
from schemas.records import Alert

PART = ("time", "timeEnd", "tags", "text")  # what we say of an annotation
Done = Literal["made", "changed", "unchanged", "deleted"]


def tag_of(alert: Alert) -> str:
    """What tells an alert's annotation from all others."""
    return f"alert:{alert.alert_id}"


def note_of(alert: Alert, page_url: str | None = None) -> dict[str, Any]:
    """The annotation of an alert: from its first window to its end, or as far as it has come.

    Grafana shows the text as HTML, so everything in it that others wrote is escaped.
    """
    words = [
        f"<b>{escape(alert.title)}</b>",
        f"{escape(alert.kind.replace('_', ' '))}, severity {alert.severity}, {alert.status}",
        escape(alert.recommendation),
    ]
    if page_url:
        link = f"{page_url.rstrip('/')}/#alert={alert.alert_id}"
        words.append(f'<a href="{escape(link)}">evidence</a>')
    return {
        "time": _milliseconds(alert.since),
        "timeEnd": _milliseconds(alert.resolved_at or alert.updated_at),
        "tags": [TAG, alert.brand, alert.kind, tag_of(alert)],
        "text": "<br>".join(filter(None, words)),
    }


def annotate(grafana: Grafana, alert: Alert, page_url: str | None = None) -> Done:
    """Bring one alert state into Grafana; the same state a second time changes nothing.

    An alert that was withdrawn never was: its annotation goes.
    """
    known = grafana.annotation(tag_of(alert))
    if alert.status == "withdrawn":
        if known is None:
            return "unchanged"
        grafana.drop_annotation(known)
        return "deleted"
    note = note_of(alert, page_url)
    if known is not None and _part(known) == _part(note):
        return "unchanged"
    grafana.put_annotation(note, known)
    return "made" if known is None else "changed"


def _part(note: dict[str, Any]) -> dict[str, Any]:
    said = {key: note.get(key) for key in PART}
    return {**said, "tags": sorted(note.get("tags") or ())}


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
