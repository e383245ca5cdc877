"""`moodwire deliver`: send alerts to people, see what was sent, send it again."""

from __future__ import annotations

import argparse
import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table
from rich.text import Text

from dashboards.live.server import BackgroundMetrics, Keys
from pipelines.command_line import INCOMPLETE, OK
from pipelines.delivery.build import build_service
from pipelines.delivery.digests import DIGEST, digest_in
from pipelines.delivery.events import alert_in
from pipelines.delivery.metrics import DeliveryCollector
from pipelines.delivery.outbox import Message, Outbox
from pipelines.delivery.receivers import Refused
from pipelines.delivery.service import Service
from pipelines.errors import RunFailedError
from pipelines.settings import Settings, SettingsError, load_settings
from pipelines.terminal import stop_on_signals


def deliver(args: argparse.Namespace, console: Console) -> int:
    """Do what was asked for.

    Raises:
        SettingsError: the settings do not fit, or another service uses the outbox.
    """
    settings = load_settings(args.settings)
    state = Path(settings.delivery.state)
    if args.action == "run":
        return _run(settings, state, args, console)
    if not state.exists():
        raise SettingsError(f"delivery.state: {state} is not there; nothing was delivered yet")
    with closing(Outbox(state)) as outbox:
        return _ACTIONS[args.action](outbox, args, console)


def _run(settings: Settings, state: Path, args: argparse.Namespace, console: Console) -> int:
    def say(message: Message, refused: Refused | None) -> None:
        now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
        line = Text(f"{now}  {message.receiver}  {_about(message)}  ")
        line.append(*("refused", "red") if refused else ("taken", "green"))
        line.append(f": {refused.said}" if refused else "")
        console.print(line, soft_wrap=True)

    folder = Path(args.folder) if args.folder else None
    with _alone(state), closing(Outbox(state)) as outbox, stop_on_signals() as stop:
        service = build_service(settings, outbox, folder, args.from_start, say)
        names = [receiver.name for receiver in service.receivers]
        names += ["Alertmanager"] if service.alertmanager else []
        console.print(f"delivering to {', '.join(names)}; Ctrl-C ends it", highlight=False)
        for name in names:
            if reason := outbox.disabled_reason(name):
                remark = f"{name} wants nothing more ({reason}); see deliver enable --help"
                console.print(remark, markup=False)
        try:
            with closing(service), _metrics(service, args):
                service.run(stop, args.once)
        except sqlite3.Error as error:
            raise RunFailedError(f"delivery.state: {state}: {error}") from error
        unsent = [sent for sent in outbox.sent() if sent.state != "delivered"]
    if args.once and (unsent or service.alertmanager_said):
        said = service.alertmanager_said
        remark = f"Alertmanager: {said}" if said else f"{len(unsent)} not delivered"
        console.print(remark, markup=False)
        return INCOMPLETE
    return OK


def _metrics(service: Service, args: argparse.Namespace) -> AbstractContextManager[object]:
    """What Prometheus reads while the service goes on.

    Raises:
        CannotListenError: another program listens on the port, or this machine has no such host.
    """
    if args.once or not args.metrics_port:
        return nullcontext()
    collector = DeliveryCollector(service)
    keys = Keys("--metrics-host", "--metrics-port")
    return BackgroundMetrics(collector, args.metrics_host, args.metrics_port, keys)


def _about(message: Message) -> str:
    """What a message is about, in a few words."""
    if message.event == DIGEST:
        return f"digest of {digest_in(message.body).day}"
    event, alert = alert_in(message.body)
    return f"{event} severity {alert.severity} {alert.brand}"


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """One service for one outbox: two would send everything twice."""
    state.parent.mkdir(parents=True, exist_ok=True)
    with state.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SettingsError(
                f"delivery.state: another `moodwire deliver` uses {state}; end it first"
            ) from None
        yield


def _list(outbox: Outbox, args: argparse.Namespace, console: Console) -> int:
    whole = Column("id", no_wrap=True, overflow="fold")  # `replay --id` asks for it
    table = Table("receiver", whole, "event", "state", "attempts", "due", "it said", box=None)
    for sent in outbox.sent(args.state):
        due = f"{datetime.fromtimestamp(sent.due_at, UTC):%Y-%m-%d %H:%M:%S}"
        shown = due if sent.state == "waiting" else ""
        cells = (sent.receiver, sent.message_id, sent.event, sent.state, str(sent.attempts))
        table.add_row(*cells, shown, escape(sent.said))
    console.print(table)
    return OK


def _replay(outbox: Outbox, args: argparse.Namespace, console: Console) -> int:
    count = outbox.replay(_receiver(args), args.id)
    console.print(f"{count} dead letters of {args.receiver} are due again", highlight=False)
    return OK


def _enable(outbox: Outbox, args: argparse.Namespace, console: Console) -> int:
    was_disabled = outbox.enable(_receiver(args))
    console.print(f"{args.receiver} is sent to again" if was_disabled else "it was not disabled")
    return OK


def _receiver(args: argparse.Namespace) -> str:
    if not args.receiver:
        raise SettingsError(f"--receiver: `deliver {args.action}` needs the name of a receiver")
    return str(args.receiver)


_ACTIONS = {"list": _list, "replay": _replay, "enable": _enable}
