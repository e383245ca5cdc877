"""`moodwire alerts`: what fires, and what a person does about it."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dashboards.live.incidents import Incidents
from pipelines.command_line import OK
from pipelines.feedback import FeedbackFolder, FeedbackTopic, Place, in_words
from pipelines.settings import SettingsError, load_settings
from schemas.records import Alert, AlertFeedback
from transforms.ingest import NoInputError

MOST = 100_000  # alerts that are looked through


def alerts(args: argparse.Namespace, console: Console) -> int:
    """Run `moodwire alerts`.

    Raises:
        SettingsError: the settings name no topics, or an option is missing or does not fit.
        NoInputError: there is no such run folder or alert.
        KafkaSettingsError: no broker answers, or it lacks a topic.
        FeedbackError: what was done could not be written.
    """
    place = _place(args)
    incidents = _fold(place)
    if args.action == "list":
        _show(incidents, args.firing, console)
        return OK
    alert = _the_alert(incidents, args)
    feedback = _feedback(alert, args, datetime.now(UTC))
    place.write(feedback)
    console.print(f"{alert.alert_id} {in_words(feedback)}: {alert.title}", markup=False)
    return OK


def _place(args: argparse.Namespace) -> Place:
    if args.run is not None:
        if not Path(args.run).is_dir():
            raise NoInputError(f"--run {args.run}: no such folder. Name the --output of a run")
        return FeedbackFolder(Path(args.run))
    kafka = load_settings(args.settings).sinks.kafka
    if kafka is None:
        raise SettingsError(
            f"{args.settings}: sinks.kafka: missing, so there is no topic of alerts; add it, or "
            "name a run folder with --run"
        )
    return FeedbackTopic(kafka)


def _fold(place: Place) -> Incidents:
    incidents = Incidents(MOST)
    for version, record in enumerate(place.read(), 1):
        if isinstance(record, Alert):
            incidents.add(record, version)
        else:
            incidents.add_feedback(record, version)
    return incidents


def _show(incidents: Incidents, only_firing: bool, console: Console) -> None:
    shown = [a for a in incidents.alerts.values() if a.status == "firing" or not only_firing]
    if not shown:
        console.print("No alert fires." if only_firing else "No alerts.")
        return
    table = Table("id", "since (UTC)", "alert", "people", box=None)
    for alert in sorted(shown, key=lambda a: (a.since, a.alert_id)):
        table.add_row(*_cells(alert, incidents.handling(alert.alert_id)))
    console.print(table, highlight=False)


def _cells(alert: Alert, handling: Iterable[AlertFeedback]) -> tuple[str, ...]:
    return (
        escape(alert.alert_id),
        f"{alert.since:%Y-%m-%d %H:%M}",
        escape(f"{alert.brand}: {alert.kind}, severity {alert.severity}, {alert.status}"),
        escape("; ".join(in_words(feedback) for feedback in handling)),
    )


def _the_alert(incidents: Incidents, args: argparse.Namespace) -> Alert:
    """The one whose id begins as given."""
    if not args.alert:
        raise SettingsError(f"alerts {args.action}: name the alert by its id; `list` shows them")
    found = [a for a in incidents.alerts.values() if a.alert_id.startswith(args.alert)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise NoInputError(f"{args.alert}: no such alert; `moodwire alerts list` shows them")
    ids = ", ".join(sorted(a.alert_id for a in found)[:5])
    raise NoInputError(f"{args.alert}: begins several ids ({ids}); give more of it")


def _feedback(alert: Alert, args: argparse.Namespace, now: datetime) -> AlertFeedback:
    if not args.by:
        raise SettingsError(f"--by: `alerts {args.action}` needs the name of who does it")
    if args.action == "verdict" and args.verdict is None:
        raise SettingsError("alerts verdict: say which: true, false or duplicate, after the id")
    given: dict[str, Any] = {"alert_id": alert.alert_id, "action": args.action, "at": now}
    given |= {"by": args.by, "note": args.note}
    if args.action == "snooze":
        given["until"] = now + args.length
    if args.verdict is not None:
        given["verdict"] = args.verdict
    try:
        return msgspec.convert(given, AlertFeedback)
    except msgspec.ValidationError as error:
        raise SettingsError(f"alerts {args.action}: {error}") from error
