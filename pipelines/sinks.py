"""Where each kind of records goes: the run folder always, Kafka where wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import apache_beam as beam

from pipelines.run_folder import FILES, RunFolder
from pipelines.settings import KafkaSink, Settings
from schemas.records import Media, Post, encode
from transforms.kafka.producers import require_topic
from transforms.kafka.sink import WriteToKafka
from transforms.kafka_posts import METRICS
from transforms.publish import StoreMedia, WriteJsonLines
from transforms.rejections import without_original

TOPICS = {
    "readings": "readings",
    "trends": "trends",
    "alerts": "alerts",
    "topics": "topics",
    "rejections": "dead-letters",
    "rollups": "rollups",
}
KEYS = {
    "readings": ("channel", "post_id"),
    "trends": ("key",),
    "alerts": ("alert_id",),
    "topics": ("key",),
    "rejections": ("position",),
    "rollups": ("key",),
}


class Sink(NamedTuple):
    """One place that records are sent to, under a stable name."""

    name: str
    transform: beam.PTransform


def build_sinks(settings: Settings, folder: RunFolder | None) -> dict[str, tuple[Sink, ...]]:
    """The sinks of each kind of records; without a run folder only those of the settings.

    Raises:
        KafkaSettingsError: no broker answers, or it lacks a topic.
    """
    kinds = published(settings)
    sinks: dict[str, list[Sink]] = {kind: [] for kind in (*kinds, "posts")}
    if folder is not None:
        for kind in kinds:
            sinks[kind].append(Sink("Folder", WriteJsonLines(str(folder.file(kind)))))
        sinks["posts"].append(Sink("Media", StoreMedia(str(folder.media))))
    if (kafka := settings.sinks.kafka) is not None:
        for kind in kinds:
            require_topic(kafka.cluster, f"{kafka.topic_prefix}{TOPICS[kind]}")
            sinks[kind].append(Sink("Kafka", kafka_sink(kafka, kind)))
        sinks["posts"].append(Sink("Kafka", "PickMedia" >> beam.FlatMap(media_of) | _media(kafka)))
    return {kind: tuple(named) for kind, named in sinks.items()}


def published(settings: Settings) -> tuple[str, ...]:
    """The kinds of records that are published: not those that the settings switch off."""
    made = {"topics": settings.topics.enabled, "rollups": bool(settings.windows.rollups_seconds)}
    return tuple(kind for kind in FILES if made.get(kind, True))


def media_of(post: Post) -> tuple[Media, ...]:
    """The renditions of a post, to be sent once under their content hash."""
    return post.media


def _media(sink: KafkaSink) -> WriteToKafka:
    topic = f"{sink.topic_prefix}media"
    require_topic(sink.cluster, topic)
    key_of = TopicKey(("sha256",))
    return WriteToKafka(sink.cluster, topic, key_of, encode, sink.transactions, METRICS)


def kafka_sink(sink: KafkaSink, kind: str) -> WriteToKafka:
    """The topic of one kind of records."""
    return WriteToKafka(
        cluster=sink.cluster,
        topic=f"{sink.topic_prefix}{TOPICS[kind]}",
        key_of=TopicKey(KEYS[kind]),
        encode=encode,
        transactions=sink.transactions,
        metrics=METRICS,
        shorten=without_original if kind == "rejections" else None,
    )


@dataclass(frozen=True)
class TopicKey:
    """A picklable way from a record to its topic key: what its attributes hold, joined by `|`.

    It names what a record is about and nothing of when it was written, so that whatever is
    written again overwrites itself (docs/decisions/0008).
    """

    attributes: tuple[str, ...]

    def __call__(self, record: Any) -> bytes:
        return "|".join(str(getattr(record, name)) for name in self.attributes).encode()
