"""Facts about dead letters of a run on topics: they are listed, and put among the posts again."""

from __future__ import annotations

from pathlib import Path

import pytest
from kafka import KafkaConsumer

from deploy.kafka.broker import Broker
from deploy.kafka.topics import create_topics, read_topics
from pipelines.command_line import INCOMPLETE, MISUSED, OK, main
from schemas.records import Position, Rejection, encode
from tests.end_to_end.kafka_runs import producer_of, running_broker

POST = b'{"post_id": "7", "text": "no clock"}'


def a_letter(offset: int, cause: str, original: bytes = POST) -> Rejection:
    return Rejection(
        original=original,
        position=Position("posts", 0, offset),
        stage="decode",
        cause=cause,
        detail="what was wrong",
        channel="generic",
    )


def held(broker: Broker, topic: str) -> list[tuple[bytes, list[tuple[str, bytes]]]]:
    """The values and headers that a topic holds."""
    with KafkaConsumer(
        topic,
        bootstrap_servers=broker.bootstrap_servers,
        auto_offset_reset="earliest",
        consumer_timeout_ms=3_000,
    ) as consumer:
        return [(record.value, list(record.headers)) for record in consumer]


@pytest.mark.timeout(400)
def test_letters_of_the_topic_are_listed_and_put_among_the_posts_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "m.yaml"
    letters = [a_letter(1, "bad_timestamp"), a_letter(1, "bad_timestamp"), a_letter(2, "no_id")]
    letters.append(a_letter(3, "too_large", original=b""))
    with running_broker(tmp_path / "kafka") as broker:
        create_topics(broker.bootstrap_servers, read_topics())
        with producer_of(broker) as producer:
            for letter in letters:
                producer.send("dead-letters", value=encode(letter))
        kafka = f'kafka: {{bootstrap_servers: "{broker.bootstrap_servers}"}}'
        settings.write_text(f"source: {{{kafka}}}\nsinks: {{{kafka}}}\n")
        given = ["--settings", str(settings)]

        assert main(["dead-letters", "list", *given]) == OK
        shown = capsys.readouterr().out
        chosen = main(["dead-letters", "replay", "--cause", "bad_timestamp", *given])
        large = main(["dead-letters", "replay", "--cause", "too_large", *given])
        posts = held(broker, "posts")

    assert "3 dead letters" in shown and "posts-0-1" in shown and "no_id" in shown
    assert (chosen, large) == (OK, INCOMPLETE)
    assert posts == [(POST, [("channel", b"generic")])]


def test_without_a_folder_or_a_topic_the_remedy_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.yaml").write_text("brands: []")

    assert main(["dead-letters", "list", "--settings", str(tmp_path / "m.yaml")]) == MISUSED
    assert "sinks.kafka" in capsys.readouterr().err
