"""`moodwire dashboards`: into a Grafana, against it, out of it, or into files."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from rich.console import Console

from dashboards.grafana.client import Grafana
from dashboards.grafana.sync import Finding, compare, export, pull, push
from pipelines.command_line import INCOMPLETE, OK
from pipelines.settings import SettingsError

TOKEN, USER, PASSWORD = "GRAFANA_TOKEN", "GRAFANA_USER", "GRAFANA_PASSWORD"


def dashboards(args: argparse.Namespace, console: Console) -> int:
    """Do what was asked for; `diff` says by its exit code whether a push would change anything.

    Raises:
        SettingsError: no login is in the environment.
        GrafanaError: Grafana does not answer or refuses.
    """
    if args.action == "export":
        for path in export(Path(args.output)):
            console.print(path, highlight=False)
        return OK
    grafana = connect(args.url)
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


def _told(finding: Finding, action: str) -> str:
    done = {"missing": "made", "differs": "changed", "same": "unchanged"}
    return f"{done[finding.state] if action == 'push' else finding.state:<10} {finding.part}"
