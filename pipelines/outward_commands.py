"""Commands that show what a run found, or tell people of it."""

from __future__ import annotations

import argparse
import re
from datetime import date, timedelta

from pipelines.file_commands import INDEX_FOLDER, SETTINGS_HELP, add_command

_LENGTH = re.compile(r"(\d{1,4})([mhd])")
_HOST_NAME = re.compile(r"(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def add_deliver(commands: argparse._SubParsersAction) -> None:
    """`moodwire deliver`."""
    parser = add_command(
        commands,
        "deliver",
        "send alerts to the receivers that the settings name, until Ctrl-C",
        "  moodwire deliver --settings moodwire.yaml                  from the topic of alerts\n"
        "  moodwire deliver --folder out --once                       from a run folder\n"
        "  moodwire deliver list --state dead                         what no receiver took\n"
        "  moodwire deliver replay --receiver desk                    its dead letters once more\n"
        "  moodwire deliver enable --receiver desk                    after it answered 410\n\n"
        "What was sent is kept in delivery.state, so that a restart sends nothing twice. Alerts\n"
        "from before the first start are not sent unless --from-start asks for it. Exit code 3\n"
        "with --once: something was not delivered. See docs/delivery.md.",
    )
    actions = ("run", "list", "replay", "enable")
    parser.add_argument("action", nargs="?", choices=actions, default="run")
    parser.add_argument("--settings", metavar="FILE", default="moodwire.yaml", help=SETTINGS_HELP)
    parser.add_argument(
        "--folder", metavar="DIR", help="run: a run folder (default: the topic of sinks.kafka)"
    )
    parser.add_argument(
        "--from-start", action="store_true", help="run: send also what is there at the first start"
    )
    parser.add_argument(
        "--once", action="store_true", help="run: read all there is, send what is due, end"
    )
    parser.add_argument(
        "--state", choices=("waiting", "delivered", "dead"), help="list: only messages in it"
    )
    parser.add_argument(
        "--metrics-port",
        metavar="PORT",
        type=int,
        default=9465,
        help="run: where Prometheus reads metrics, but for --once (default: 9465; 0: nowhere)",
    )
    parser.add_argument(
        "--metrics-host",
        metavar="HOST",
        default="127.0.0.1",
        help="run: the address that they are served on (default: 127.0.0.1)",
    )
    parser.add_argument("--receiver", metavar="NAME", help="replay, enable: whose messages")
    parser.add_argument("--id", help="replay: only this message")


def add_digest(commands: argparse._SubParsersAction) -> None:
    """`moodwire digest`."""
    parser = add_command(
        commands,
        "digest",
        "sum up a day of each brand: posts, mood, alerts, charts",
        "  moodwire digest --run out --day 2026-06-18          of a run folder\n"
        "  moodwire digest --settings moodwire.yaml            of the topics, yesterday\n"
        "  moodwire digest --run out --brand Aerolume --timezone Europe/Berlin\n\n"
        "Writes a page that is one file, a text, and a chart for each brand. `moodwire deliver`\n"
        "sends it each day where the settings have `digest`. See docs/delivery.md.",
    )
    parser.add_argument(
        "--settings",
        metavar="FILE",
        help="settings file (default: moodwire.yaml; none with --run alone)",
    )
    parser.add_argument("--run", metavar="DIR", help="a run folder instead of the topics")
    parser.add_argument(
        "--day", type=day_in, metavar="DATE", help="which, as 2026-06-18 (default: yesterday)"
    )
    parser.add_argument(
        "--timezone", metavar="NAME", help="whose days (default: digest.timezone, or UTC)"
    )
    parser.add_argument(
        "--brand",
        metavar="NAME",
        action="append",
        help="only this brand; may be repeated (default: digest.brands, or all)",
    )
    parser.add_argument(
        "--output", metavar="DIR", default="digests", help="where to write (default: digests)"
    )


def day_in(text: str) -> date:
    """A date as a person writes it.

    >>> day_in("2026-06-18")
    datetime.date(2026, 6, 18)

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write 2026-06-18") from None


def add_alerts(commands: argparse._SubParsersAction) -> None:
    """`moodwire alerts`."""
    parser = add_command(
        commands,
        "alerts",
        "list alerts, and note what a person does about one",
        "  moodwire alerts list --run out --firing\n"
        "  moodwire alerts acknowledge 3fa9 --by Ada --run out\n"
        "  moodwire alerts snooze 3fa9 --for 4h --by Ada --settings moodwire.yaml\n"
        '  moodwire alerts verdict 3fa9 false --by Ada --note "a film, not our brand"\n\n'
        "An id may be shortened to what is unique. Of one alert a later word takes the place of\n"
        "an earlier one of its kind. `moodwire deliver` tells of one that was acknowledged or is\n"
        "snoozed only what is graver than before, or its end. See docs/live-page.md.",
    )
    parser.add_argument("action", choices=("list", "acknowledge", "snooze", "verdict"))
    parser.add_argument("alert", metavar="ID", nargs="?", help="the alert, or how its id begins")
    parser.add_argument(
        "verdict",
        metavar="VERDICT",
        nargs="?",
        choices=("true", "false", "duplicate"),
        help="verdict: true, false or duplicate",
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--settings", metavar="FILE", default="moodwire.yaml", help=SETTINGS_HELP)
    place.add_argument("--run", metavar="DIR", help="a run folder instead of the topics")
    parser.add_argument("--firing", action="store_true", help="list: only what fires")
    parser.add_argument("--by", metavar="NAME", help="who does it; needed by all but list")
    parser.add_argument("--note", metavar="TEXT", default="", help="why, in a line")
    parser.add_argument(
        "--for",
        dest="length",
        metavar="LENGTH",
        type=length_of,
        default="1h",
        help="snooze: how long, as 90m, 4h or 2d (default: 1h)",
    )


def length_of(text: str) -> timedelta:
    """A length of time as a person writes it.

    >>> length_of("90m") == timedelta(hours=1.5)
    True

    Raises:
        argparse.ArgumentTypeError: it is no number with m, h or d.
    """
    found = _LENGTH.fullmatch(text)
    if found is None or found[1].strip("0") == "":
        raise argparse.ArgumentTypeError(f"{text!r} is no length; write 90m, 4h or 2d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def add_serve(commands: argparse._SubParsersAction) -> None:
    """`moodwire serve`."""
    parser = add_command(
        commands,
        "serve",
        "show the live page and /metrics of a run folder, or of the topics of the settings",
        "  moodwire serve out --port 8642\n"
        "  moodwire serve --settings moodwire.yaml     a run on Flink, by what it publishes\n\n"
        "It only shows, unless serve.token of the settings names a token: whoever types it into\n"
        "the page may acknowledge, snooze and judge alerts. With a run folder name both:\n"
        "  moodwire serve out --settings moodwire.yaml\n\n"
        "It asks nobody who looks and shows posts: to let others in, put a proxy before it that\n"
        "does, and say by which name they come. See docs/live-page.md.\n"
        "  moodwire serve --host 0.0.0.0 --allow-host moodwire.example",
    )
    parser.add_argument("folder", metavar="DIR", nargs="?", help="the run folder to follow")
    parser.add_argument(
        "--settings", metavar="FILE", help="settings file (without DIR: moodwire.yaml)"
    )
    _add_place(parser, port=8642)
    parser.add_argument(
        "--allow-host",
        metavar="NAME",
        type=host_name,
        action="append",
        default=[],
        help="host name, as it stands in a browser's address, that the page answers to besides "
        "localhost and --host; may be repeated (default: none)",
    )
    parser.add_argument(
        "--checkpoint",
        metavar="DIR",
        help="model that explains posts and searches (default: the shipped one)",
    )
    parser.add_argument(
        "--search",
        action=argparse.BooleanOptionalAction,
        help="find posts on the page; the model is loaded at the first search (default: yes)",
    )
    parser.add_argument(
        "--index",
        metavar="DIR",
        default=INDEX_FOLDER,
        help="folder of `moodwire search`: what was deleted there is not found here either "
        f"(default: {INDEX_FOLDER})",
    )


def add_exporter(commands: argparse._SubParsersAction) -> None:
    """`moodwire exporter`."""
    parser = add_command(
        commands,
        "exporter",
        "serve metrics of the topics to Prometheus, without a page",
        "  moodwire exporter --settings moodwire.yaml --port 9464\n\n"
        "Reads `trends` and `alerts` from their beginning and answers 503 until it has caught\n"
        "up, so that a restart leaves a gap in a chart and never a dip. See docs/metrics.md.\n\n"
        "Another machine's Prometheus needs --host 0.0.0.0. Whoever reaches the port then reads\n"
        "names of brands and how they fare: no posts, no secrets.",
    )
    parser.add_argument("--settings", metavar="FILE", default="moodwire.yaml", help=SETTINGS_HELP)
    _add_place(parser, port=9464)


def _add_place(parser: argparse.ArgumentParser, port: int) -> None:
    parser.add_argument(
        "--host",
        metavar="ADDRESS",
        default="127.0.0.1",
        help="address of this machine to listen on; 0.0.0.0: all it has (default: 127.0.0.1)",
    )
    parser.add_argument("--port", type=int, default=port, help=f"port (default: {port})")


def host_name(text: str) -> str:
    """A host name as it stands in the address of a page, or `*.` and the end of one.

    >>> host_name("moodwire.example"), host_name("*.example")
    ('moodwire.example', '*.example')

    Raises:
        argparse.ArgumentTypeError: it is none, or there is more than the name.
    """
    if _HOST_NAME.fullmatch(text) is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no host name; write moodwire.example, without http:// and port"
        )
    return text.lower()


def add_dashboards(commands: argparse._SubParsersAction) -> None:
    """`moodwire dashboards`."""
    parser = add_command(
        commands,
        "dashboards",
        "bring the Grafana dashboards into a Grafana, or see what differs",
        "  moodwire dashboards push --url http://127.0.0.1:3000\n"
        "  moodwire dashboards diff --url http://127.0.0.1:3000      exit code 3 where it differs\n"
        "  moodwire dashboards pull --url http://127.0.0.1:3000 --output boards\n"
        "  moodwire dashboards export --output boards                files for provisioning\n"
        "  moodwire dashboards annotate --settings moodwire.yaml     alerts onto the charts\n\n"
        "The login comes from the environment: GRAFANA_TOKEN, or GRAFANA_USER and\n"
        "GRAFANA_PASSWORD. A second push changes nothing, nor does annotating twice.",
    )
    parser.add_argument("action", choices=("push", "diff", "pull", "export", "annotate"))
    parser.add_argument("--url", default="http://127.0.0.1:3000", help="where Grafana is")
    parser.add_argument(
        "--prometheus-url",
        metavar="URL",
        default="http://127.0.0.1:9090",
        help="push, diff: where Grafana finds Prometheus (default: http://127.0.0.1:9090)",
    )
    parser.add_argument(
        "--output", metavar="DIR", default="boards", help="pull, export: folder of the files"
    )
    parser.add_argument(
        "--settings",
        metavar="FILE",
        default="moodwire.yaml",
        help=f"annotate: {SETTINGS_HELP}",
    )
    parser.add_argument(
        "--once", action="store_true", help="annotate: what the topic holds now, then end"
    )
