"""The `moodwire` command: what can be asked for, and how each answer is reached."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version

from pipelines.evaluate import add_evaluate
from pipelines.export import add_export
from pipelines.file_commands import (
    SETTINGS_HELP,
    add_backtest,
    add_command,
    add_explain,
    add_models,
    add_quality,
    add_score,
    add_search,
    add_train,
)
from pipelines.outward_commands import (
    add_alerts,
    add_dashboards,
    add_deliver,
    add_digest,
    add_exporter,
    add_serve,
)
from pipelines.runner_names import CHOICES, EMBEDDED

OK, FAILED, MISUSED, INCOMPLETE = 0, 1, 2, 3
INTERRUPTED = 130  # what a shell expects of a command that Ctrl-C ended before it was done
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"

ABOUT = """\
Moodwire watches social-media streams and tells people how the public feels about them,
why, and when it turns, using text and images together.

examples:
  moodwire demo                              a day of four brands, a crisis, and a live page
  moodwire replay posts.jsonl.gz --settings moodwire.yaml --output out
  moodwire run --settings moodwire.yaml      follow the source that the settings name
  moodwire feed posts.jsonl.gz               put recorded posts on the Kafka topic
  moodwire job status                        look at the job on Flink, stop or save it
  moodwire score --input posts.jsonl --output readings.jsonl --rejected bad.jsonl
  moodwire explain --input posts.jsonl --output why          why each was read so
  moodwire search --input posts.jsonl --text "broken"        posts by words, image or likeness
  moodwire backtest --input counts.csv --output scores.csv   alerts that counts would have raised
  moodwire deliver                           alerts to webhooks, mail, chat, Alertmanager
  moodwire digest --run out                  a day of each brand, with charts
  moodwire alerts list --run out             what fires; acknowledge, snooze or judge it
  moodwire train --data data --output out    train a model of your own
  moodwire evaluate --data DIR --output evaluation   an honest report about the model
  moodwire export --checkpoint model         make a model ready to serve without torch
  moodwire dead-letters list out             what was refused, where and why
  moodwire models use models/2026-12         let running pipelines use another model
  moodwire quality posts.jsonl --report quality.html
  moodwire doctor                            what this machine lacks, with the remedy
"""


def build_parser() -> argparse.ArgumentParser:
    """The parser of every command, flag and example."""
    parser = argparse.ArgumentParser(
        prog="moodwire", description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"moodwire {version('moodwire')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_run(commands)
    _add_job(commands)
    _add_feed(commands)
    _add_replay(commands)
    add_score(commands)
    add_explain(commands)
    add_search(commands)
    add_backtest(commands)
    add_deliver(commands)
    add_digest(commands)
    add_alerts(commands)
    add_train(commands)
    add_evaluate(commands)
    add_export(commands)
    _add_dead_letters(commands)
    add_models(commands)
    add_quality(commands)
    add_serve(commands)
    add_exporter(commands)
    add_dashboards(commands)
    _add_doctor(commands)
    return parser


def _add_runner(parser: argparse.ArgumentParser, choices: tuple[str, ...] = EMBEDDED) -> None:
    parser.add_argument(
        "--runner",
        choices=choices,
        default="auto",
        help="Beam runner; auto is Prism where it can be had, else in memory (default: auto)",
    )


def _add_output(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument("--output", metavar="DIR", help=f"run folder (default: {default})")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace what an earlier run left there"
    )


def _add_demo(commands: argparse._SubParsersAction) -> None:
    parser = add_command(
        commands,
        "demo",
        "play the shipped day of posts and show it live",
        "  moodwire demo                 play, then leave the page up until Ctrl-C\n"
        "  moodwire demo --once          play, print the summary, end\n"
        "  moodwire demo --speed 200     slower: the day in about seven minutes",
    )
    parser.add_argument("--once", action="store_true", help="end when the day is over")
    parser.add_argument(
        "--speed", type=float, default=360.0, help="event time over clock time (default: 360)"
    )
    parser.add_argument("--port", type=int, help="port of the live page (default: 8642)")
    parser.add_argument(
        "--output",
        metavar="DIR",
        default=".run/demo",
        help="run folder, replaced each time (default: .run/demo)",
    )
    _add_runner(parser)


def _add_run(commands: argparse._SubParsersAction) -> None:
    parser = add_command(
        commands,
        "run",
        "follow the source that the settings name, until Ctrl-C",
        "  moodwire run --settings moodwire.yaml\n"
        "  moodwire run --settings moodwire.yaml --runner flink          goes on where it was\n"
        "  moodwire run --settings moodwire.yaml --runner flink --fresh  leaves old state alone",
    )
    parser.add_argument("--settings", metavar="FILE", default="moodwire.yaml", help=SETTINGS_HELP)
    _add_output(parser, "sinks.folder of the settings")
    _add_runner(parser, CHOICES)
    parser.add_argument(
        "--fresh",
        action="store_true",
        help="Flink: start without the state of an earlier run (default: go on from the newest)",
    )


def _add_job(commands: argparse._SubParsersAction) -> None:
    parser = add_command(
        commands,
        "job",
        "look at the job that `run` started on Flink, or end it",
        "  moodwire job status --settings moodwire.yaml\n"
        "  moodwire job stop --settings moodwire.yaml       with a savepoint for the next `run`\n"
        "  moodwire job savepoint --settings moodwire.yaml  the job goes on\n"
        "  moodwire job cancel --settings moodwire.yaml     at once; `run` takes the checkpoint",
    )
    parser.add_argument("action", choices=("status", "stop", "savepoint", "cancel"))
    parser.add_argument("--settings", metavar="FILE", default="moodwire.yaml", help=SETTINGS_HELP)


def _add_feed(commands: argparse._SubParsersAction) -> None:
    parser = add_command(
        commands,
        "feed",
        "put recorded posts on the Kafka topic that the settings read from",
        "  moodwire feed posts.jsonl.gz --settings moodwire.yaml --rate 20\n"
        "  moodwire feed demo --settings moodwire.yaml --speed 360   the shipped day, 360 x faster",
    )
    parser.add_argument(
        "path", metavar="PATH", help="a JSON-lines file, a folder of them, or `demo`"
    )
    parser.add_argument("--settings", metavar="FILE", default="moodwire.yaml", help=SETTINGS_HELP)
    parser.add_argument("--topic", help="another topic (default: the first of source.kafka.topics)")
    pace = parser.add_mutually_exclusive_group()
    pace.add_argument("--speed", type=float, help="event time over clock time")
    pace.add_argument("--rate", type=float, help="records a second (default: as many as go)")


def _add_replay(commands: argparse._SubParsersAction) -> None:
    parser = add_command(
        commands,
        "replay",
        "read posts from files through the whole pipeline and end with a summary",
        "  moodwire replay posts.jsonl.gz --settings moodwire.yaml --output out\n"
        "  moodwire replay archive/ --settings moodwire.yaml --speed 3600",
    )
    parser.add_argument(
        "path", metavar="PATH", help="a JSON-lines file (also .gz), or a folder of them"
    )
    parser.add_argument("--settings", metavar="FILE", default="moodwire.yaml", help=SETTINGS_HELP)
    parser.add_argument(
        "--speed", type=float, help="event time over clock time (default: as fast as possible)"
    )
    parser.add_argument(
        "--page", action="store_true", help="serve the live page meanwhile, and until Ctrl-C"
    )
    _add_output(parser, "sinks.folder of the settings")
    _add_runner(parser)


def _add_dead_letters(commands: argparse._SubParsersAction) -> None:
    parser = add_command(
        commands,
        "dead-letters",
        "list refused records, or send them through the pipeline again",
        "  moodwire dead-letters list out\n"
        "  moodwire dead-letters list out --cause bad_timestamp --show 5\n"
        "  moodwire dead-letters replay out --settings moodwire.yaml --output out-again\n"
        "  moodwire dead-letters list --settings moodwire.yaml       of a run on Flink, whose\n"
        "  moodwire dead-letters replay --settings moodwire.yaml     job then reads them again",
    )
    parser.add_argument("action", choices=("list", "replay"), help="what to do with them")
    parser.add_argument(
        "folder",
        metavar="DIR",
        nargs="?",
        help="the run folder that holds dead-letters.jsonl (default: the topic of the settings)",
    )
    parser.add_argument("--stage", help="only those that this stage refused")
    parser.add_argument("--cause", help="only those refused for this cause")
    parser.add_argument(
        "--show", type=int, default=0, metavar="N", help="list: also print the first N records"
    )
    parser.add_argument(
        "--settings",
        metavar="FILE",
        default="moodwire.yaml",
        help="of the topic, and of replay (default: moodwire.yaml)",
    )
    parser.add_argument(
        "--output", metavar="DIR", help="replay: run folder of its results (default: DIR/replayed)"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replay: replace what an earlier replay left there"
    )
    _add_runner(parser)


def _add_doctor(commands: argparse._SubParsersAction) -> None:
    parser = add_command(
        commands,
        "doctor",
        "check versions, model, runner, ports and sinks, each with its remedy",
        "  moodwire doctor\n  moodwire doctor --settings moodwire.yaml",
    )
    parser.add_argument("--settings", metavar="FILE", help="also check what these settings name")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns 0 all well, 1 failed, 2 misused, 3 done but some records were refused, 130 interrupted.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    cut = given.index("--") if "--" in given else len(given)
    args = build_parser().parse_args(given[:cut])
    args.beam_options = tuple(given[cut + 1 :])
    _quiet_libraries()
    from pipelines import commands  # Beam and torch take seconds; --help does not

    return commands.execute(args)


def _quiet_libraries() -> None:
    """Only errors, and what Moodwire itself has to say, reach the terminal, with its time (UTC)."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    logging.basicConfig(level=logging.WARNING, format=LOG_FORMAT, datefmt="%Y-%m-%d %H:%M:%SZ")
    for handler in logging.getLogger().handlers:
        handler.addFilter(_matters)
        if handler.formatter is not None:
            handler.formatter.converter = time.gmtime


def _matters(record: logging.LogRecord) -> bool:
    ours = record.name.split(".", 1)[0] in {"transforms", "pipelines", "dashboards"}
    return ours or record.levelno >= logging.ERROR


if __name__ == "__main__":
    sys.exit(main())
