"""Dead letters of a topic: read for people, or put among the posts again for the job that runs."""

from __future__ import annotations

import threading
from contextlib import closing
from itertools import groupby

from pipelines.dead_letters import choose_letters
from pipelines.feed import Fed, feed
from pipelines.settings import KafkaSource, Settings, SettingsError
from pipelines.sinks import TOPICS
from pipelines.topic_reading import read_until_now, readable
from schemas.records import Rejection
from transforms.channels.registry import event_time_of
from transforms.kafka.producers import require_topic

GROUP = "moodwire-dead-letters"


def read_topic_letters(settings: Settings, stage: str | None, cause: str | None) -> list[Rejection]:
    """The dead letters that the topic holds now, each position once, oldest first.

    Raises:
        SettingsError: the settings name no topics.
        KafkaSettingsError: no broker answers, or it lacks the topic.
        NoDeadLettersError: it holds none of that stage and cause.
    """
    if (kafka := settings.sinks.kafka) is None:
        raise SettingsError(
            "sinks.kafka: missing, so there is no topic of dead letters; add it, or name the "
            "folder of a run: moodwire dead-letters list out"
        )
    topic = f"{kafka.topic_prefix}{TOPICS['rejections']}"
    require_topic(kafka.cluster, topic)
    with closing(read_until_now(kafka.cluster, GROUP, [topic])) as records:
        letters = [letter for _, value in records for letter in readable(value, Rejection)]
    return choose_letters(letters, stage, cause, f"topic {topic}")


def feed_again(letters: list[Rejection], source: KafkaSource | None, stop: threading.Event) -> int:
    """Put the records of some letters on the topics that they came from; how many.

    A record that was too large to be kept with its letter is left out.

    Raises:
        SettingsError: the settings read no topics.
        KafkaSettingsError: no broker answers, or it lacks a topic.
        KafkaUnreachableError: Kafka took no record for half a minute.
    """
    if source is None:
        raise SettingsError(
            "source.kafka: missing, so there is no topic to put records on again; add it, or name "
            "the folder of a run: moodwire dead-letters replay out"
        )
    kept = sorted((x for x in letters if x.original), key=lambda x: x.position.topic)
    return sum(
        feed(source.cluster, topic, map(_fed, of_topic), stop)
        for topic, of_topic in groupby(kept, lambda letter: letter.position.topic)
    )


def _fed(letter: Rejection) -> Fed:
    headers = [("channel", letter.channel.encode())] if letter.channel else []
    return Fed(None, letter.original, headers, event_time_of(letter.original, letter.channel))
