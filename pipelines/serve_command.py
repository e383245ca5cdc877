"""What `moodwire serve`, `exporter` and `dashboards` do: Moodwire as others look at it."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

from rich.console import Console

from dashboards.live.follower import Follower
from dashboards.live.server import serve
from pipelines.command_line import OK
from pipelines.explain_exemplars import ExemplarExplainer
from pipelines.settings import SettingsError, load_settings
from transforms.ingest import NoInputError


def serve_page(args: argparse.Namespace, console: Console) -> int:
    """`moodwire serve`: the live page of a run folder, or of the topics."""
    if args.folder is None:
        return _serve_topics(args, console, "live page", has_page=True)
    if not Path(args.folder).is_dir():
        raise NoInputError(f"{args.folder}: no such folder. Name the --output of a run")
    console.print(f"live page: http://127.0.0.1:{args.port} (Ctrl-C ends it)", highlight=False)
    explain = ExemplarExplainer(args.checkpoint)
    serve(Follower(Path(args.folder)), port=args.port, explain=explain)
    return OK


def serve_metrics(args: argparse.Namespace, console: Console) -> int:
    """`moodwire exporter`."""
    return _serve_topics(args, console, "metrics", has_page=False)


def provision_grafana(args: argparse.Namespace, console: Console) -> int:
    """`moodwire dashboards`."""
    from pipelines.grafana_command import dashboards

    return dashboards(args, console)


def _serve_topics(args: argparse.Namespace, console: Console, what: str, has_page: bool) -> int:
    from pipelines.delays import Delays
    from pipelines.topic_counters import flink_counters
    from pipelines.topic_feed import TopicFeed

    settings = load_settings(args.settings)
    if (kafka := settings.sinks.kafka) is None:
        raise SettingsError("sinks.kafka: missing, so there are no topics to follow; add it")
    counters = flink_counters(settings.flink)
    place = kafka.cluster, kafka.topic_prefix
    delays = None if has_page else Delays(*place)
    feed = TopicFeed(*place, settings.title, counters, delays, for_metrics=not has_page)
    feed.start()
    with closing(feed):
        page = "" if has_page else "metrics"
        console.print(f"{what}: http://127.0.0.1:{args.port}/{page} (Ctrl-C ends it)")
        explain = ExemplarExplainer(args.checkpoint) if has_page else None
        serve(feed, port=args.port, has_page=has_page, explain=explain)
    return OK
