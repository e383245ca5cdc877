"""`moodwire dashboards`: into a Grafana, against it, out of it, or into files; alerts onto them."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from rich.console import Console

from dashboards.grafana.client import Grafana
from dashboards.grafana.incidents import Done
from dashboards.grafana.sync import Finding, compare, export, pull, push
from pipelines.command_line import INCOMPLETE, OK
from pipelines.settings import SettingsError, load_settings
from pipelines.terminal import stop_on_signals
from schemas.records import Alert

TOKEN, USER, PASSWORD = "GRAFANA_TOKEN", "GRAFANA_USER", "GRAFANA_PASSWORD"


def dashboards(args: argparse.Namespace, console: Console) -> int:
    """Do what was asked for; `diff` says by its exit code whether a push would change anything.

    Raises:
        SettingsError: no login is in the environment, or the settings name no topics.
        GrafanaError: Grafana does not answer or refuses.
    """
    if args.action == "export":
        for path in export(Path(args.output)):
            console.print(path, highlight=False)
        return OK
    grafana = connect(args.url)
    if args.action == "annotate":
        return _annotate(grafana, args, console)
    if args.action == "pull":
        for path in pull(grafana, Path(args.output)):
            console.print(path, highlight=False)
        return OK
    do = push if args.action == "push" else compare
    found = do(grafana, args.prometheus_url)
    for finding in found:
        console.print(_told(finding, args.action), highlight=False, markup=False)
        if args.action == "diff":
            console.print("\n".join(finding.lines), highlight=False, markup=False)
    changed = any(finding.state != "same" for finding in found)
    return INCOMPLETE if args.action == "diff" and changed else OK


def connect(url: str) -> Grafana:
    """A Grafana, by the login in the environment: secrets are no arguments of commands."""
    token, user, password = (os.environ.get(name) for name in (TOKEN, USER, PASSWORD))
    if not token and not (user and password):
        raise SettingsError(
            f"{TOKEN}: not set. Export the token of a service account with the role Editor, or "
            f"{USER} and {PASSWORD}"
        )
    return Grafana(url, token, user, password)


def _annotate(grafana: Grafana, args: argparse.Namespace, console: Console) -> int:
    from pipelines.annotating import Annotating

    settings = load_settings(args.settings)
    if (kafka := settings.sinks.kafka) is None:
        raise SettingsError("sinks.kafka: missing, so there is no topic of alerts; add it")

    def say(done: Done, alert: Alert) -> None:
        console.print(f"{done:<10} {alert.title}", highlight=False, markup=False)

    topic, page_url = f"{kafka.topic_prefix}alerts", settings.delivery.page_url
    with stop_on_signals() as stop:
        Annotating(kafka.cluster, topic, grafana, page_url, say).run(stop, args.once)
    return OK


def _told(finding: Finding, action: str) -> str:
    done = {"missing": "made", "differs": "changed", "same": "unchanged"}
    return f"{done[finding.state] if action == 'push' else finding.state:<10} {finding.part}"
