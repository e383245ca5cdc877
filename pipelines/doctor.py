"""`moodwire doctor`: what this machine lacks for a run, each with its remedy."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.checks.check import Check
from pipelines.checks.machine import (
    check_disk,
    check_folder,
    check_model,
    check_packages,
    check_python,
    check_runner,
)
from pipelines.checks.network import (
    check_address,
    check_kafka_sink,
    check_kafka_source,
    check_port,
)
from pipelines.settings import PageSettings, Settings, SettingsError, load_settings
from pipelines.sinks import TOPICS, published

EXAMPLE_KEY = "change-me-to-a-long-secret"  # in moodwire.example.yaml


def check_all(settings: Settings) -> list[Check]:
    """Every check that applies to a run with these settings, quick ones first."""
    folder = Path(settings.sinks.folder)
    page = settings.sinks.page or PageSettings()
    return [
        check_python(),
        *check_packages(),
        *check_runner(),
        check_folder(folder),
        check_disk(folder),
        check_port(page.host, page.port),
        *check_source(settings),
        *check_sinks(settings),
        *check_receivers(settings),
        check_model(checkpoint_folder(settings)),
    ]


def checkpoint_folder(settings: Settings) -> Path:
    """The checkpoint that a run with these settings would load."""
    from models.checkpoint import DEFAULT_CHECKPOINT

    return Path(settings.model.checkpoint or DEFAULT_CHECKPOINT)


def check_author_key(settings: Settings) -> Check:
    """The secret behind the pseudonyms, which a run cannot do without; the demo has its own."""
    key = settings.privacy.author_key
    if key is None:
        remedy = "set privacy.author_key to a secret, for example ${MOODWIRE_AUTHOR_KEY}"
        return Check("Author key", False, "none", remedy)
    if key == EXAMPLE_KEY:
        remedy = "before posts of real people: export MOODWIRE_AUTHOR_KEY=$(openssl rand -hex 32)"
        return Check("Author key", False, "that of the example, which all know", remedy, False)
    return Check("Author key", True, f"{len(key)} characters")


def check_source(settings: Settings) -> list[Check]:
    """Where posts come from, if the settings say so."""
    source = settings.source
    checks = []
    if source.path is not None:
        there = Path(source.path).exists()
        found = f"{source.path} is {'there' if there else 'missing'}"
        checks.append(Check("Source", there, found, "" if there else "correct source.path"))
    if source.kafka is not None:
        checks.append(check_kafka_source(source.kafka.cluster, source.kafka.topics))
    return checks


def check_sinks(settings: Settings) -> list[Check]:
    """Where results go besides the run folder, if the settings say so."""
    kafka, checks = settings.sinks.kafka, []
    if kafka is not None:
        topics = [kafka.topic_prefix + TOPICS[kind] for kind in published(settings)]
        checks.append(check_kafka_sink(kafka.cluster, topics))
    return checks


def check_receivers(settings: Settings) -> list[Check]:
    """Whom `moodwire deliver` sends alerts to, as far as an address shows it."""
    delivery = settings.delivery
    checks = [
        check_address(f"Webhook {webhook.name}", webhook.url, f"delivery.webhooks[{number}].url")
        for number, webhook in enumerate(delivery.webhooks)
    ]
    if (manager := delivery.alertmanager) is not None:
        checks.append(check_address("Alertmanager", manager.url, "delivery.alertmanager.url"))
    return checks


def run_doctor(settings_path: str | None, console: Console | None = None) -> int:
    """Prints every check as a table; 1 when something that a run needs is missing."""
    console = console or Console()
    checks: list[Check] = []
    settings = Settings()
    if settings_path is not None:
        try:
            settings = load_settings(settings_path)
            checks.append(Check("Settings", True, f"{settings_path} is understood"))
            checks.append(check_author_key(settings))
        except SettingsError as error:
            checks.append(Check("Settings", False, str(error), "correct the key it names"))
    checks += check_all(settings)
    console.print(as_table(checks))
    missing = sum(check.required and not check.ok for check in checks)
    console.print(f"{missing} of {len(checks)} to mend" if missing else "Ready to run.")
    return 1 if missing else 0


def as_table(checks: list[Check]) -> Table:
    """The checks in the order they were made, each with what it found and the remedy."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "Checked", "Found", "Remedy"):
        table.add_column(heading, overflow="fold")
    for check in checks:
        table.add_row(mark(check), *map(escape, (check.name, check.found, check.remedy)))
    return table


def mark(check: Check) -> str:
    """A word and a colour: the word alone is enough to tell them apart."""
    if check.ok:
        return "[green]ok[/]"
    return "[bold red]missing[/]" if check.required else "[yellow]optional[/]"
