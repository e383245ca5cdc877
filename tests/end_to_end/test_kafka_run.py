"""Facts about a run between Kafka topics: every post comes out once."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from deploy.kafka.broker import Broker
from deploy.kafka.topics import create_topics, read_topics
from pipelines.commands import DEMO
from tests.end_to_end.kafka_runs import running_broker
from tests.end_to_end.runs import moodwire

GOOD, BAD = 60, 3
# kafka-python leaves the sockets of refused connections to the garbage collector.
pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]
SETTINGS = """
brands: [{{name: Oatmere}}]
privacy: {{author_key: a-key-for-tests-alone}}
source:
  kafka: {{bootstrap_servers: "{servers}", start: earliest, stop: end}}
windows: {{size_seconds: 600, period_seconds: 600}}
sinks:
  folder: {folder}
  kafka: {{bootstrap_servers: "{servers}"}}
"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running_broker(tmp_path_factory.mktemp("kafka")) as broker:
        create_topics(broker.bootstrap_servers, read_topics())
        yield broker


def produce_posts(servers: str) -> None:
    """Posts a minute apart, and a few records that are none."""
    producer = KafkaProducer(bootstrap_servers=servers)
    for n in range(GOOD):
        post = {
            "post_id": str(n),
            "text": f"oatmere number {n} is lovely",
            "created_at": f"2026-06-18T12:{n:02d}:00Z",
            "author_id": str(n),
        }
        producer.send("posts", json.dumps(post).encode(), key=str(n).encode())
    for _ in range(BAD):
        producer.send("posts", b"{broken")
    producer.flush()
    producer.close()


def keys_of(servers: str, topic: str) -> list[bytes]:
    """The keys of every record in a topic."""
    consumer = KafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False)
    places = [TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic) or ()]
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    ends = consumer.end_offsets(places)
    keys: list[bytes] = []
    while any(consumer.position(place) < ends[place] for place in places):
        for records in consumer.poll(timeout_ms=200).values():
            keys += [record.key for record in records]
    consumer.close()
    return keys


def test_posts_go_from_topic_to_topics_and_add_up(broker: Broker, tmp_path: Path) -> None:
    servers = broker.bootstrap_servers
    produce_posts(servers)
    settings = tmp_path / "moodwire.yaml"
    settings.write_text(SETTINGS.format(servers=servers, folder=tmp_path / "out"))

    run = moodwire(
        tmp_path / "out", "run", "--settings", str(settings), "--runner", "prism", isolated=False
    )

    assert run.code == 0, run.said
    keys = [f"generic|{n}".encode() for n in range(GOOD)]
    assert sorted(keys_of(servers, "readings")) == sorted(keys)
    assert len(set(keys_of(servers, "dead-letters"))) == BAD
    assert len(run.final("trends.jsonl")) > 0
    assert len(set(keys_of(servers, "trends"))) >= len(run.final("trends.jsonl"))


def test_pictures_go_to_their_topic_once_by_content(broker: Broker, tmp_path: Path) -> None:
    servers = broker.bootstrap_servers
    picture = next((DEMO / "images").glob("carton-*.jpg"))
    posts = tmp_path / "posts.jsonl"
    (tmp_path / picture.name).write_bytes(picture.read_bytes())
    lines = [
        {"post_id": n, "text": "hi", "created_at": 1_781_784_000 + n, "images": [picture.name]}
        for n in range(5)
    ]
    posts.write_text("".join(json.dumps(line) + "\n" for line in lines))
    settings = tmp_path / "moodwire.yaml"
    settings.write_text(SETTINGS.format(servers=servers, folder=tmp_path / "out"))

    run = moodwire(
        tmp_path / "out",
        "replay", str(posts), "--settings", str(settings), "--runner", "in-memory",
        isolated=False,
    )  # fmt: skip

    assert run.code == 0, run.said
    assert len(set(keys_of(servers, "media"))) == 1
