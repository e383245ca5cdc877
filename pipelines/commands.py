"""What each command of `moodwire` does, once its arguments are read."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import apache_beam as beam
from msgspec.structs import replace
from rich.console import Console

from dashboards.grafana.errors import GrafanaError
from dashboards.live.follower import Follower
from dashboards.live.server import BackgroundServer, PortInUseError
from models.checkpoint import CheckpointError
from models.retrieval.errors import SearchError
from pipelines.backtest.rows import BacktestError
from pipelines.build import build_stages
from pipelines.command_line import FAILED, INCOMPLETE, MISUSED, OK
from pipelines.dead_letters import (
    NoDeadLettersError,
    Redeliver,
    print_letters,
    read_letters,
)
from pipelines.doctor import run_doctor
from pipelines.evaluate import EvaluationError, evaluate
from pipelines.explain_exemplars import ExemplarExplainer
from pipelines.feed import feed, read_feed
from pipelines.feedback import FeedbackError, FeedbackFolder, build_actions
from pipelines.models_command import manage_models, remarks
from pipelines.run import Finished, Run, RunFailedError, run
from pipelines.run_folder import FolderInUseError, RunFolder
from pipelines.runners import NoRunnerError, choose_runner
from pipelines.score import prepare_lines, score_file
from pipelines.serve_command import provision_grafana, serve_metrics, serve_page
from pipelines.settings import PageSettings, Settings, SettingsError, load_settings
from pipelines.terminal import Progress, print_summary, stop_on_signals
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
    PortInUseError,
    CheckpointError,
    BacktestError,
    TrainingError,
    SearchError,
    GrafanaError,
    EvaluationError,
    FeedbackError,
    PermissionError,
)
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
    except KeyboardInterrupt:
        return OK


def _demo(args: argparse.Namespace, console: Console) -> int:
    settings = load_settings(DEMO / "moodwire.yaml")
    source = replace(settings.source, path=str(DEMO / "posts.jsonl.gz"), speed=args.speed)
    page = PageSettings(port=args.port) if args.port is not None else PageSettings()
    args.overwrite = True
    plan = _Plan(replace(settings, source=source), page, linger=not args.once)
    return _run(plan, args, console)


def _follow_source(args: argparse.Namespace, console: Console) -> int:
    settings = load_settings(args.settings)
    if args.runner == "flink":
        from pipelines.flink.commands import run_on_flink

        return run_on_flink(settings, args, console)
    return _run(_Plan(settings, settings.sinks.page, resumes=True), args, console)


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


def _replay(args: argparse.Namespace, console: Console) -> int:
    settings = load_settings(args.settings)
    source = replace(settings.source, path=args.path, speed=args.speed, kafka=None)
    page = (settings.sinks.page or PageSettings()) if args.page else None
    plan = _Plan(replace(settings, source=source), page, linger=args.page)
    return _run(plan, args, console)


@dataclass(frozen=True)
class _Plan:
    """What a run is to do: with which settings and page, and whether the page outlives it."""

    settings: Settings
    page: PageSettings | None
    linger: bool = False
    resumes: bool = False
    source: beam.PTransform | None = None


def _run(plan: _Plan, args: argparse.Namespace, console: Console) -> int:
    """Prepare the folder, serve the page, run the pipeline, print the summary."""
    folder = RunFolder(Path(args.output or plan.settings.sinks.folder))
    runner = choose_runner(args.runner, args.beam_options)
    stages = build_stages(plan.settings, folder, plan.source, runner.streams)
    resumed = folder.prepare(overwrite=args.overwrite, resume=plan.resumes)
    console.print(f"[bold]{runner.name}[/]: {runner.remark}", highlight=False)
    for remark in remarks(plan.settings):
        console.print(remark, highlight=False, soft_wrap=True, markup=False)
    with stop_on_signals() as stop, _page(plan, folder, console):
        with Progress(console) as progress:
            finished = run(Run(plan.settings, runner, folder, stages, resumed), progress, stop)
        print_summary(finished, console)
        console.print(f"results in {folder.path}", highlight=False)
        if plan.linger and not stop.is_set():
            console.print("The page stays up; Ctrl-C ends it.")
            stop.wait()
    return _verdict(finished)


def _verdict(finished: Finished) -> int:
    return FAILED if finished.adds_up is False and not finished.cancelled else OK


def _page(plan: _Plan, folder: RunFolder, console: Console) -> Any:
    """The live page while a run goes on, where one is wanted."""
    if plan.page is None:
        return nullcontext()
    explain = ExemplarExplainer(plan.settings.model.checkpoint)
    feed = Follower(folder.path)
    actions = build_actions(plan.settings.serve.token, FeedbackFolder(folder.path).write)
    server = BackgroundServer(feed, plan.page.host, plan.page.port, explain, actions)
    console.print(f"live page: {server.url}", highlight=False)
    return server


def _score(args: argparse.Namespace, console: Console) -> int:
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


def _dead_letters(args: argparse.Namespace, console: Console) -> int:
    letters = read_letters(Path(args.folder), args.stage, args.cause)
    if args.action == "list":
        print_letters(letters, args.show, console)
        return OK
    args.output = args.output or str(Path(args.folder) / "replayed")
    settings = load_settings(args.settings)
    return _run(_Plan(settings, None, source=Redeliver(letters)), args, console)


def _models(args: argparse.Namespace, console: Console) -> int:
    return manage_models(args, console)


def _quality(args: argparse.Namespace, console: Console) -> int:
    prepared = islice(prepare_lines(find_files(args.path)), args.sample)
    posts = [post for post in prepared if isinstance(post, Post)]
    build_report(posts, Path(args.report))
    console.print(f"{len(posts):,} posts checked, report in {args.report}", highlight=False)
    return OK


def _doctor(args: argparse.Namespace, console: Console) -> int:
    return run_doctor(args.settings)


COMMANDS: dict[str, Callable[[argparse.Namespace, Console], int]] = {
    "demo": _demo,
    "run": _follow_source,
    "job": _job,
    "feed": _feed,
    "replay": _replay,
    "score": _score,
    "explain": _explain,
    "search": _search,
    "backtest": _backtest,
    "deliver": _deliver,
    "alerts": _alerts,
    "train": _train,
    "evaluate": _evaluate,
    "export": _export,
    "dead-letters": _dead_letters,
    "models": _models,
    "quality": _quality,
    "serve": serve_page,
    "exporter": serve_metrics,
    "dashboards": provision_grafana,
    "doctor": _doctor,
}
