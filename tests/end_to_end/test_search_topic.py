"""Facts about search of a run on Flink: the page finds the newest posts of its topics."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from deploy.kafka.broker import Broker
from deploy.kafka.topics import create_topics, read_topics
from schemas.records import Media, Reading, encode
from tests.builders import a_reading
from tests.end_to_end.kafka_runs import producer_of, running_broker, until
from tests.end_to_end.serving import serving
from tests.models.tiny_model import a_rendition, a_saved_checkpoint

PHOTO = Media(sha256="a" * 64, width=1, height=1, rendition=a_rendition())
TEXTS = {"1": "good phone", "2": "the phone is bad", "3": "not very good"}


def ask(url: str, **asked: str) -> dict[str, Any]:
    """The answer, nothing where nobody listens yet; who asked too often waits as long as told."""
    try:
        with urllib.request.urlopen(f"{url}/api/search?{urlencode(asked)}", timeout=30) as found:
            told: dict[str, Any] = json.load(found)
            return told
    except urllib.error.HTTPError as error:
        if error.code != 429:
            raise
        time.sleep(float(error.headers["Retry-After"]))
        return ask(url, **asked)
    except OSError:
        return {"posts": 0, "nearest": []}


def ids(answer: dict[str, Any]) -> list[list[str]]:
    return [[one["post"]["post_id"] for one in near["found"]] for near in answer["nearest"]]


def publish(broker: Broker, *readings: Reading, gone: str | None = None) -> None:
    with producer_of(broker) as producer:
        producer.send("media", key=PHOTO.sha256.encode(), value=encode(PHOTO))
        for one in readings:
            producer.send("readings", key=f"x|{one.post_id}".encode(), value=encode(one))
        if gone is not None:
            producer.send("readings", key=f"x|{gone}".encode(), value=None)


@pytest.mark.timeout(400)
def test_the_page_of_topics_finds_posts_and_none_that_was_deleted(tmp_path: Path) -> None:
    settings, log = tmp_path / "m.yaml", tmp_path / "log"
    model = a_saved_checkpoint(tmp_path / "model")
    given = ("--checkpoint", str(model), "--index", str(tmp_path / "index"))
    readings = [
        a_reading(post_id=name, text=text, thumbnails=(PHOTO.sha256,) if name == "1" else ())
        for name, text in TEXTS.items()
    ]
    with running_broker(tmp_path / "kafka") as broker:
        create_topics(broker.bootstrap_servers, read_topics())
        publish(broker, *readings)
        settings.write_text(
            f'sinks: {{kafka: {{bootstrap_servers: "{broker.bootstrap_servers}"}}}}\n'
            "flink: {rest_port: 1}\n"
        )
        with serving(settings, log, *given) as url:
            until(lambda: ask(url, words="phone")["posts"] == len(TEXTS), log)
            by_text, by_image = ids(ask(url, words="the phone is bad"))
            assert by_text[0] == "2"
            assert by_image == ["1"]

            publish(broker, a_reading(post_id="new", text="very very bad"), gone="2")
            until(lambda: ids(ask(url, words="very very bad"))[0][:1] == ["new"], log)
            until(lambda: "2" not in ids(ask(url, words="the phone is bad"))[0], log)
            [like] = ids(ask(url, channel="x", post_id="3"))
            assert sorted(like) == ["1", "new"]
