"""What `moodwire serve`, `exporter` and `dashboards` do: Moodwire as others look at it."""

from __future__ import annotations

import argparse
from contextlib import closing
from functools import partial
from pathlib import Path

from rich.console import Console

from dashboards.live.actions import Actions
from dashboards.live.follower import Follower
from dashboards.live.server import in_address, serve
from dashboards.live.stream import Feed
from models.model_cards import read_cards
from pipelines.command_line import OK
from pipelines.explain_exemplars import ExemplarExplainer
from pipelines.feedback import FeedbackFolder, FeedbackTopic, build_actions
from pipelines.post_search import MOST_POSTS, PostSearch
from pipelines.run_readings import FolderReadings, Readings, TopicReadings
from pipelines.settings import KafkaSink, ServeSettings, SettingsError, load_settings
from pipelines.sinks import TOPICS
from transforms.ingest import NoInputError


def serve_page(args: argparse.Namespace, console: Console) -> int:
    """`moodwire serve`: the live page of a run folder, or of the topics."""
    if args.folder is None:
        args.settings = args.settings or "moodwire.yaml"
        return _serve_topics(args, console, "live page", has_page=True)
    folder = Path(args.folder)
    if not folder.is_dir():
        raise NoInputError(f"{folder}: no such folder. Name the --output of a run")
    allowed = load_settings(args.settings).serve if args.settings else ServeSettings()
    feed = Follower(folder)
    _say_where(args, console, "live page")
    serve(
        feed,
        args.host,
        args.port,
        allowed_hosts=args.allow_host,
        explain=ExemplarExplainer(args.checkpoint),
        actions=build_actions(allowed.token, FeedbackFolder(folder).write),
        search=_search(args, allowed, FolderReadings(folder), feed),
        cards=partial(read_cards, args.checkpoint),
    )
    return OK


def serve_metrics(args: argparse.Namespace, console: Console) -> int:
    """`moodwire exporter`."""
    return _serve_topics(args, console, "metrics", has_page=False)


def provision_grafana(args: argparse.Namespace, console: Console) -> int:
    """`moodwire dashboards`."""
    from pipelines.grafana_command import dashboards

    return dashboards(args, console)


def _say_where(args: argparse.Namespace, console: Console, what: str, page: str = "") -> None:
    line = f"{what}: http://{in_address(args.host)}:{args.port}/{page} (Ctrl-C ends it)"
    console.print(line, highlight=False, markup=False)


def _search(
    args: argparse.Namespace, allowed: ServeSettings, readings: Readings, feed: Feed
) -> PostSearch | None:
    wanted = allowed.search if args.search is None else args.search
    return PostSearch(readings, feed.rendition, args.checkpoint, args.index) if wanted else None


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
    actions = explain = search = None
    if has_page:
        actions = _topic_actions(settings.serve.token, kafka)
        explain = ExemplarExplainer(args.checkpoint)
        topic = f"{kafka.topic_prefix}{TOPICS['readings']}"
        readings = TopicReadings(kafka.cluster, topic, MOST_POSTS)
        search = _search(args, settings.serve, readings, feed)
    feed.start()
    with closing(feed):
        _say_where(args, console, what, "" if has_page else "metrics")
        serve(
            feed,
            args.host,
            args.port,
            has_page=has_page,
            allowed_hosts=args.allow_host if has_page else (),
            explain=explain,
            actions=actions,
            search=search,
            cards=partial(read_cards, args.checkpoint if has_page else None),
        )
    return OK


def _topic_actions(token: str | None, kafka: KafkaSink) -> Actions | None:
    """What people may do; a missing topic is said before they try."""
    place = FeedbackTopic(kafka)
    if token is not None:
        place.require()
    return build_actions(token, place.write)
