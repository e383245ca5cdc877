"""Commands that run the pipeline in this process: demo, run, replay, letters once more."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import apache_beam as beam
from msgspec.structs import replace
from rich.console import Console

from dashboards.live.follower import Follower
from dashboards.live.server import BackgroundServer
from models.model_cards import read_cards
from pipelines.build import build_stages
from pipelines.command_line import FAILED, INCOMPLETE, OK
from pipelines.commands import DEMO
from pipelines.dead_letters import Redeliver, print_letters, read_letters
from pipelines.explain_exemplars import ExemplarExplainer
from pipelines.feedback import FeedbackFolder, build_actions
from pipelines.models_command import remarks
from pipelines.post_search import PostSearch
from pipelines.run import Finished, Run, run
from pipelines.run_folder import RunFolder
from pipelines.run_readings import FolderReadings
from pipelines.runners import choose_runner
from pipelines.settings import PageSettings, Settings, load_settings
from pipelines.terminal import Progress, print_summary, stop_on_signals
from pipelines.topic_letters import feed_again, read_topic_letters


def demo(args: argparse.Namespace, console: Console) -> int:
    """The day of posts that comes with Moodwire."""
    settings = load_settings(DEMO / "moodwire.yaml")
    source = replace(settings.source, path=str(DEMO / "posts.jsonl.gz"), speed=args.speed)
    page = PageSettings(port=args.port) if args.port is not None else PageSettings()
    args.overwrite = True
    plan = _Plan(replace(settings, source=source), page, linger=not args.once)
    return _run(plan, args, console)


def follow_source(args: argparse.Namespace, console: Console) -> int:
    """Posts of the source in the settings, as they come."""
    settings = load_settings(args.settings)
    if args.runner == "flink":
        from pipelines.flink.commands import run_on_flink

        return run_on_flink(settings, args, console)
    return _run(_Plan(settings, settings.sinks.page, resumes=True), args, console)


def replay(args: argparse.Namespace, console: Console) -> int:
    """Posts of files, as the settings say."""
    settings = load_settings(args.settings)
    source = replace(settings.source, path=args.path, speed=args.speed, kafka=None)
    page = (settings.sinks.page or PageSettings()) if args.page else None
    plan = _Plan(replace(settings, source=source), page, linger=args.page)
    return _run(plan, args, console)


def dead_letters(args: argparse.Namespace, console: Console) -> int:
    """What a run refused: listed, or through the pipeline once more."""
    if args.folder is None:
        return _topic_letters(args, console)
    letters = read_letters(Path(args.folder), args.stage, args.cause)
    if args.action == "list":
        print_letters(letters, args.show, console)
        return OK
    args.output = args.output or str(Path(args.folder) / "replayed")
    settings = load_settings(args.settings)
    # On the topics, trends of these records alone would take the place of the run's.
    settings = replace(settings, sinks=replace(settings.sinks, kafka=None))
    return _run(_Plan(settings, None, source=Redeliver(letters)), args, console)


def _topic_letters(args: argparse.Namespace, console: Console) -> int:
    """The same of a run on topics, where the job that runs reads them once more."""
    settings = load_settings(args.settings)
    letters = read_topic_letters(settings, args.stage, args.cause)
    if args.action == "list":
        print_letters(letters, args.show, console)
        return OK
    with stop_on_signals() as stop:
        sent = feed_again(letters, settings.source.kafka, stop)
    console.print(f"{sent:,} of {len(letters):,} records are among the posts again")
    return OK if sent == len(letters) else INCOMPLETE


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
    checkpoint, allowed = plan.settings.model.checkpoint, plan.settings.serve
    feed = Follower(folder.path)
    server = BackgroundServer(
        feed,
        plan.page.host,
        plan.page.port,
        explain=ExemplarExplainer(checkpoint),
        actions=build_actions(allowed.token, FeedbackFolder(folder.path).write),
        search=PostSearch(FolderReadings(folder.path), feed.rendition, checkpoint)
        if allowed.search
        else None,
        cards=partial(read_cards, checkpoint),
    )
    console.print(f"live page: {server.url}", highlight=False)
    return server
