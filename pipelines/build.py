"""From settings to stages: each stage gets plain arguments, none sees the settings."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import apache_beam as beam

from models.checkpoint import DEFAULT_CHECKPOINT
from models.detection.topic_watch import TopicRules
from models.following import Loading
from pipelines.run_folder import RunFolder
from pipelines.settings import Settings, SettingsError
from pipelines.sinks import Sink, build_sinks
from transforms.attach import Attach
from transforms.brands import Brand
from transforms.channels.registry import event_time_of
from transforms.clean import Clean
from transforms.decode import Decode
from transforms.deduplicate import DropDuplicates
from transforms.detect import DetectAlerts
from transforms.drift import WatchDrift
from transforms.ingest import LINES_PER_BUNDLE, ReadFiles
from transforms.kafka_posts import read_posts
from transforms.ledger import Maintenance
from transforms.read import Read
from transforms.rollup import RollUp
from transforms.shadow import CompareShadow
from transforms.topics import FollowTopics
from transforms.trend import AggregateTrends
from transforms.validate import Validate

# Fewer cost more a post, since each bundle is added up by itself; more hold checkpoints up until
# the stages behind took them, which is some seconds where there is a backlog.
RECORDS_PER_BUNDLE = 500


@dataclass(frozen=True)
class Stages:
    """Every stage of the pipeline with its arguments filled in."""

    ingest: beam.PTransform
    decode: Decode
    clean: Clean
    drop_duplicates: DropDuplicates
    validate: Validate
    attach: Attach
    read: Read
    aggregate_trends: AggregateTrends
    roll_up: RollUp
    detect_alerts: DetectAlerts
    watch_drift: WatchDrift
    follow_topics: FollowTopics
    sinks: dict[str, tuple[Sink, ...]]


def author_key(settings: Settings) -> bytes:
    """The key of the author pseudonyms.

    Raises:
        SettingsError: there is none; a default would make pseudonyms guessable.
    """
    if settings.privacy.author_key is None:
        raise SettingsError(
            "privacy.author_key: missing. Set it to a secret of 16 characters or more, "
            "for example ${MOODWIRE_AUTHOR_KEY}"
        )
    return settings.privacy.author_key.encode()


def build_brands(settings: Settings) -> tuple[Brand, ...]:
    """The watchlist as brand matching takes it."""
    return tuple(
        Brand(b.name, b.aliases, b.handles, b.hashtags, b.exclusions) for b in settings.brands
    )


def build_source(settings: Settings, streams: bool, readers: int = 1) -> beam.PTransform:
    """The reader that the settings name; one that does not stream reads all in one bundle.

    Raises:
        SettingsError: neither files nor Kafka are named.
        KafkaSettingsError: no broker answers, it has no such topic, or not the offsets named.
    """
    source, lateness = settings.source, settings.windows.allowed_lateness_seconds
    if source.kafka is not None:
        if not streams and source.kafka.stop is None:
            raise SettingsError(
                "source.kafka.stop: a runner that does not stream needs one, such as `end`; "
                "set it, or use --runner prism or flink"
            )
        posts = read_posts(
            cluster=source.kafka.cluster,
            event_time_of=event_time_of,
            topics=source.kafka.topics,
            topic_pattern=source.kafka.topic_pattern,
            group_id=source.kafka.group_id,
            start=source.kafka.start,
            stop=source.kafka.stop,
            disorder_seconds=source.disorder_seconds,
            allowed_lateness_seconds=lateness,
            idle_seconds=source.kafka.idle_seconds,
            discover_seconds=source.kafka.discover_seconds,
            readers=readers,
            max_records_per_bundle=RECORDS_PER_BUNDLE if streams else sys.maxsize,
        )
        posts.check()
        return posts
    if source.path is None:
        raise SettingsError("source: names neither `path` nor `kafka`; give one of them")
    return ReadFiles(
        path=source.path,
        event_time_of=event_time_of,
        channel=source.channel,
        speed=source.speed if streams else None,
        disorder_seconds=source.disorder_seconds,
        allowed_lateness_seconds=lateness,
        lines_per_bundle=LINES_PER_BUNDLE if streams else sys.maxsize,
    )


def build_maintenance(settings: Settings) -> tuple[Maintenance, ...]:
    """When nobody is told of alerts, in epoch seconds."""
    return tuple(
        Maintenance(span.brand, int(span.start.timestamp()), int(span.end.timestamp()))
        for span in settings.alerts.maintenance
    )


def build_topic_rules(settings: Settings) -> TopicRules:
    """When a new topic is told of, and for how long topics are known."""
    topics = settings.topics
    return TopicRules(
        min_posts=topics.min_posts,
        min_authors=topics.min_authors,
        min_share=topics.min_share,
        warm_up_hours=topics.warm_up_hours,
        remember_days=topics.remember_days,
        gone_hours=topics.gone_hours,
    )


def has_no_end(settings: Settings) -> bool:
    """Whether posts come for ever, so that the end of them is silence and not an end."""
    return settings.source.kafka is not None and settings.source.kafka.stop is None


def checkpoint_path(settings: Settings) -> str:
    """The checkpoint folder, or the file that names one; the shipped one unless given."""
    return settings.model.checkpoint or str(DEFAULT_CHECKPOINT)


def build_loading(settings: Settings) -> Loading:
    """How workers load models."""
    model = settings.model
    return Loading(model.threads, model.engine, model.precision)


def build_shadow(settings: Settings) -> CompareShadow | None:
    """The second model, if there is to be one; on input without end or pace it never waits."""
    model, source = settings.model, settings.source
    if model.shadow is None:
        return None
    is_live = source.kafka.stop is None if source.kafka else source.speed is not None
    return CompareShadow(
        model.shadow, model.shadow_share, build_loading(settings), waits=not is_live
    )


def build_stages(
    settings: Settings,
    folder: RunFolder | None,
    source: beam.PTransform | None = None,
    streams: bool = True,
    readers: int = 1,
) -> Stages:
    """Every stage as `settings` want it; `source` replaces the settings' own.

    Results go to `folder` where there is one, and to the sinks of the settings. `streams` says
    whether the runner does; one that does not reads everything in one bundle. `readers` says into
    how many restrictions a Kafka source parts its partitions.

    Raises:
        SettingsError: a setting that a stage needs is missing or wrong.
    """
    windows = settings.windows
    return Stages(
        ingest=source or build_source(settings, streams, readers),
        decode=Decode(),
        clean=Clean(brands=build_brands(settings), author_key=author_key(settings)),
        drop_duplicates=DropDuplicates(horizon_seconds=windows.allowed_lateness_seconds),
        validate=Validate(),
        attach=Attach(),
        read=Read(
            checkpoint=checkpoint_path(settings),
            loading=build_loading(settings),
            refresh_seconds=settings.model.refresh_seconds,
            shadow=build_shadow(settings),
        ),
        aggregate_trends=AggregateTrends(
            window_seconds=windows.size_seconds,
            period_seconds=windows.period_seconds,
            allowed_lateness_seconds=windows.allowed_lateness_seconds,
            early_posts=windows.early_posts,
            slices=windows.slices,
        ),
        roll_up=RollUp(
            lengths=windows.rollups_seconds,
            window_seconds=windows.size_seconds,
            allowed_lateness_seconds=windows.allowed_lateness_seconds,
        ),
        detect_alerts=DetectAlerts(
            period_seconds=windows.period_seconds,
            allowed_lateness_seconds=windows.allowed_lateness_seconds,
            sensitivity=settings.alerts.sensitivity,
            min_posts=settings.alerts.min_posts,
            min_authors=settings.alerts.min_authors,
            warm_up_windows=settings.alerts.warm_up_windows,
            cool_down_seconds=settings.alerts.cool_down_seconds,
            daily_budget=settings.alerts.daily_budget,
            maintenance=build_maintenance(settings),
            is_live=has_no_end(settings),
        ),
        watch_drift=WatchDrift(checkpoint_path(settings)),
        follow_topics=FollowTopics(
            allowed_lateness_seconds=windows.allowed_lateness_seconds,
            brands=build_brands(settings),
            rules=build_topic_rules(settings),
            most_per_hour=settings.topics.most_per_hour,
            daily_budget=settings.alerts.daily_budget,
            maintenance=build_maintenance(settings),
            enabled=settings.topics.enabled,
        ),
        sinks=build_sinks(settings, folder),
    )
