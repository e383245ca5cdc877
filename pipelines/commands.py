"""What each command of `moodwire` does, once its arguments are read."""

from __future__ import annotations

import argparse
import errno
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from rich.console import Console

from dashboards.grafana.errors import GrafanaError
from dashboards.live.server import CannotListenError
from models.checkpoint import CheckpointError
from models.retrieval.errors import SearchError
from pipelines.backtest.rows import BacktestError
from pipelines.command_line import FAILED, INCOMPLETE, INTERRUPTED, MISUSED, OK
from pipelines.dead_letters import NoDeadLettersError
from pipelines.doctor import run_doctor
from pipelines.errors import RunFailedError
from pipelines.evaluate import EvaluationError, evaluate
from pipelines.feed import feed, read_feed
from pipelines.feedback import FeedbackError
from pipelines.run_folder import FolderInUseError
from pipelines.runners import NoRunnerError
from pipelines.serve_command import provision_grafana, serve_metrics, serve_page
from pipelines.settings import SettingsError, load_settings
from pipelines.terminal import stop_on_signals
from pipelines.train import TrainingError
from schemas.records import Post
from transforms.expectations import build_report
from transforms.ingest import NoInputError, find_files
from transforms.kafka.cluster import KafkaSettingsError

MISUSE = (
    SettingsError,
    KafkaSettingsError,
    FolderInUseError,
    NoRunnerError,
    NoInputError,
    NoDeadLettersError,
    CannotListenError,
    CheckpointError,
    BacktestError,
    TrainingError,
    SearchError,
    GrafanaError,
    EvaluationError,
    FeedbackError,
    PermissionError,
)
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
UNTIL_CTRL_C = {"demo", "run", "feed", "deliver", "serve", "exporter", "dashboards"}
DEMO = Path(__file__).parent / "demo" / "data"


def execute(args: argparse.Namespace) -> int:
    """Run the command in `args`; misuse is one line that names the remedy, never a traceback."""
    console = Console()
    try:
        return COMMANDS[args.command](args, console)
    except MISUSE as error:
        Console(stderr=True).print(f"moodwire: {error}", markup=False, highlight=False)
        return MISUSED
    except RunFailedError as error:
        Console(stderr=True).print(f"moodwire: the run failed: {error}", markup=False)
        return FAILED
    except OSError as error:
        if error.errno not in FULL:
            raise
        # What was begun is gone with its unfinished file; an earlier one stays as it was.
        Console(stderr=True).print(f"moodwire: {error.strerror}; make room and start again")
        return FAILED
    except KeyboardInterrupt:
        if args.command in UNTIL_CTRL_C:
            return OK
        Console(stderr=True).print(f"moodwire: {args.command} was interrupted before it was done")
        return INTERRUPTED


def _run(args: argparse.Namespace, console: Console) -> int:
    """What runs the pipeline here; with it Beam's model handlers come, and torch by them."""
    from pipelines import run_commands

    do = {
        "demo": run_commands.demo,
        "run": run_commands.follow_source,
        "replay": run_commands.replay,
        "dead-letters": run_commands.dead_letters,
    }
    return do[args.command](args, console)


def _job(args: argparse.Namespace, console: Console) -> int:
    from pipelines.flink.commands import manage_job

    return manage_job(args, console)


def _feed(args: argparse.Namespace, console: Console) -> int:
    kafka = load_settings(args.settings).source.kafka
    if kafka is None or not (args.topic or kafka.topics):
        raise SettingsError("source.kafka.topics: names no topic to feed; add one, or use --topic")
    records = read_feed(DEMO / "posts.jsonl.gz" if args.path == "demo" else args.path)
    topic = args.topic or kafka.topics[0]
    with stop_on_signals() as stop, console.status(f"feeding {topic}") as status:
        sent = feed(
            kafka.cluster,
            topic,
            records,
            stop,
            speed=args.speed,
            rate=args.rate,
            on_sent=lambda count: status.update(f"{count:,} records to {topic}"),
        )
    console.print(f"{sent:,} records acknowledged on {topic}", highlight=False)
    return OK


def _score(args: argparse.Namespace, console: Console) -> int:
    from pipelines.score import score_file

    rejected = Path(args.rejected) if args.rejected else None
    counts = score_file(Path(args.input), Path(args.output), rejected, args.checkpoint, console)
    return OK if counts.rejected == 0 else INCOMPLETE


def _explain(args: argparse.Namespace, console: Console) -> int:
    from pipelines.explain import explain

    return explain(args, console)


def _search(args: argparse.Namespace, console: Console) -> int:
    from pipelines.search import search

    return search(args, console)


def _backtest(args: argparse.Namespace, console: Console) -> int:
    from pipelines.backtest.command import backtest

    return backtest(args, console)


def _deliver(args: argparse.Namespace, console: Console) -> int:
    from pipelines.delivery.command import deliver

    return deliver(args, console)


def _digest(args: argparse.Namespace, console: Console) -> int:
    from pipelines.digest.command import digest

    return digest(args, console)


def _alerts(args: argparse.Namespace, console: Console) -> int:
    from pipelines.alerts_command import alerts

    return alerts(args, console)


def _train(args: argparse.Namespace, console: Console) -> int:
    from pipelines.train import train_command

    return train_command(args, console)


def _evaluate(args: argparse.Namespace, console: Console) -> int:
    evaluate(args, console)
    return OK


def _export(args: argparse.Namespace, console: Console) -> int:
    from pipelines.export import export

    export(args, console)
    return OK


def _models(args: argparse.Namespace, console: Console) -> int:
    from pipelines.models_command import manage_models

    return manage_models(args, console)


def _quality(args: argparse.Namespace, console: Console) -> int:
    from pipelines.score import prepare_lines

    prepared = islice(prepare_lines(find_files(args.path)), args.sample)
    posts = [post for post in prepared if isinstance(post, Post)]
    build_report(posts, Path(args.report))
    console.print(f"{len(posts):,} posts checked, report in {args.report}", highlight=False)
    return OK


def _doctor(args: argparse.Namespace, console: Console) -> int:
    return run_doctor(args.settings)


COMMANDS: dict[str, Callable[[argparse.Namespace, Console], int]] = {
    "demo": _run,
    "run": _run,
    "job": _job,
    "feed": _feed,
    "replay": _run,
    "score": _score,
    "explain": _explain,
    "search": _search,
    "backtest": _backtest,
    "deliver": _deliver,
    "digest": _digest,
    "alerts": _alerts,
    "train": _train,
    "evaluate": _evaluate,
    "export": _export,
    "dead-letters": _run,
    "models": _models,
    "quality": _quality,
    "serve": serve_page,
    "exporter": serve_metrics,
    "dashboards": provision_grafana,
    "doctor": _doctor,
}
