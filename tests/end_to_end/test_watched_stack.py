"""What dashboards and rules ask is answered on a running stack that reads the demo's days.

Kafka, a Flink cluster with its job, the exporter and Prometheus with the shipped configuration. The
stream is the demo's, with a few posts added that break what its own do not break. The table of all
answers is printed, and that of how long an alert takes from the newest post of its evidence to a
webhook. What only an outage or a second model tells is asked of a run folder instead
(test_promql.py): a shadow leaves out every post while the cores are busy.
"""

from __future__ import annotations

import json
import re
import statistics
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml
from kafka import KafkaConsumer, TopicPartition

from benchmarks.demo_stream import Played, midnight, play, read_templates
from benchmarks.monitor_runs import running, write_settings
from benchmarks.own_stack import own_stack
from benchmarks.playing import Player
from benchmarks.runs_of_jobs import cancel
from deploy.kafka.topics import create_topics, read_topics
from deploy.prometheus.servers import ROUTES
from deploy.stack import Stack
from schemas.records import Alert, decode
from tests.end_to_end.promql import (
    PANELS,
    PARTS_OF_RULES,
    RECORDS,
    Asked,
    answers_in_time,
    ask,
    ask_exemplars,
)
from tests.end_to_end.serving import delivering
from tests.end_to_end.test_alertmanager import call
from tests.pipelines.delivery.receiver import Desk, a_desk

RATE = 25.0
MAY_BE_SILENT = re.compile(r"moodwire_shadow_|moodwire_sink_retries_total")
ALERTS = 3
PATIENCE_SECONDS = 420.0  # the day's alerts come late in it, and the machine may be busy
BRAND = "Oatmere"
pytestmark = [
    pytest.mark.timeout(1_200),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]


def odd_posts() -> Iterator[Played]:
    """One post with a picture that is not there, one with more pictures than anybody takes."""
    for number, images in enumerate((["nowhere.jpg"], ["nowhere.jpg"] * 101)):
        moment = midnight(2) + 60
        post = {"post_id": f"odd-{number}", "text": f"{BRAND} again", "created_at": moment}
        yield Played(json.dumps({**post, "images": images}).encode(), None, moment)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack on which nothing happens yet."""
    with own_stack(tmp_path_factory.mktemp("stack"), task_managers=1) as stack:
        create_topics(stack.broker.bootstrap_servers, read_topics())
        stack.watchers.start()
        yield stack


@pytest.fixture(scope="module")
def desks(watched: Stack) -> Iterator[tuple[Desk, Desk]]:
    """Who is told by `moodwire deliver` itself, and who by the stack's Alertmanager."""
    with a_desk() as ours, a_desk() as managed:
        route_to(managed, watched)
        settings, log = deliver_settings(watched, ours), watched.home / "deliver.log"
        with delivering(settings, log, metrics_port=watched.ports.delivery):
            yield ours, managed


def route_to(desk: Desk, stack: Stack) -> None:
    """Give the running Alertmanager's receiver an address; all else is as shipped."""
    routes = yaml.safe_load(ROUTES.read_text(encoding="utf-8"))
    routes["receivers"][0]["webhook_configs"] = [{"url": desk.url}]
    part = stack.watchers.parts()["alertmanager"]
    part.config.write_text(yaml.safe_dump(routes), encoding="utf-8")
    call(f"http://{part.address}/-/reload", {})


def deliver_settings(stack: Stack, desk: Desk) -> Path:
    """Settings of `moodwire deliver` on the stack."""
    webhook = {
        "name": "desk",
        "url": desk.url,
        "secrets": ["${DESK_SECRET}"],
        "allow_private_addresses": True,
    }
    settings = {
        "sinks": {"kafka": {"bootstrap_servers": stack.broker.bootstrap_servers}},
        "delivery": {
            "state": str(stack.home / "outbox.sqlite"),
            "webhooks": [webhook],
            "alertmanager": {"url": f"http://127.0.0.1:{stack.ports.alertmanager}"},
        },
    }
    path = stack.home / "deliver.yaml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def stack(watched: Stack, desks: tuple[Desk, Desk]) -> Iterator[Stack]:
    """The stack while a job reads and `desks` are told of its alerts."""
    settings = write_settings(watched, flink={"job_name": "moodwire"})
    posts = chain(odd_posts(), play(read_templates(), midnight(2)))
    player = Player(watched.broker.bootstrap_servers, "posts", posts, RATE)
    with running(settings, "flink", watched.home / "run.log"):
        player.start()
        try:
            yield watched
        finally:
            player.stop()
    cancel(watched, "moodwire")


def test_every_question_is_answered(stack: Stack) -> None:
    prometheus = f"http://127.0.0.1:{stack.ports.prometheus}"
    assert answers_in_time(prometheus, "moodwire_readings_total > 500", PATIENCE_SECONDS)
    asked_for = (*PANELS, *RECORDS, *PARTS_OF_RULES)
    questions = list(dict.fromkeys(one for one in asked_for if not MAY_BE_SILENT.search(one.expr)))
    deadline = time.monotonic() + PATIENCE_SECONDS

    unanswered = questions
    while unanswered and time.monotonic() < deadline:
        unanswered = [asked for asked in unanswered if not answer(prometheus, asked)]
        time.sleep(1)

    for asked in questions:
        print(f"{len(answer(prometheus, asked)):5} series  {asked.place}  {asked.expr}")
    assert [asked.place for asked in unanswered] == []


def test_alerts_reach_a_webhook_by_the_stack_s_alertmanager(
    stack: Stack, desks: tuple[Desk, Desk]
) -> None:
    ours, managed = desks
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(fired_at(managed)) < ALERTS and time.monotonic() < deadline:
        time.sleep(1)
    assert len(fired_at(managed)) >= ALERTS

    told = {"signed": opened_at(ours), "by Alertmanager": fired_at(managed)}
    alerts = first_states(stack)  # others may come while the topics are read
    posted = times_of_posts(stack, {post for alert in alerts.values() for post in alert.posts})
    print(f"{len(alerts)} alerts; webhooks came after the newest post of the evidence by")
    for way, times in told.items():
        waits = sorted(
            round(at - max(posted[post] for post in alerts[one].posts), 1)
            for one, at in times.items()
            if alerts[one].posts
        )
        print(f"{way:>20}  {statistics.median(waits):.1f} s in the median of {waits}")

    assert told["by Alertmanager"].keys() <= alerts.keys()
    for request in ours.requests:
        request.verify()


@dataclass(frozen=True)
class Opening:
    """The first state of an alert on its topic: when it came there, and the posts that it shows."""

    at: float
    posts: frozenset[str]


def first_states(stack: Stack) -> dict[str, Opening]:
    """How each alert opened, by its id."""
    found: dict[str, Opening] = {}
    for record in records_of(stack, "alerts"):
        alert = decode(record.value, Alert)
        posts = frozenset(post.post_id for post in alert.evidence)
        found.setdefault(alert.alert_id, Opening(record.timestamp / 1000, posts))
    return found


def times_of_posts(stack: Stack, ids: set[str]) -> dict[str, float]:
    """When these posts came to the topic, in epoch seconds."""
    wanted = {post_id: post_id.encode() for post_id in ids}
    return {
        post_id: record.timestamp / 1000
        for record in records_of(stack, "posts")
        for post_id, text in wanted.items()
        if text in record.value
    }


def records_of(stack: Stack, topic: str) -> Iterator[Any]:
    """All that a topic holds now, partition by partition."""
    servers = stack.broker.bootstrap_servers
    with KafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False) as consumer:
        places = [TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic)]
        for place, end in consumer.end_offsets(places).items():
            consumer.assign([place])
            consumer.seek_to_beginning(place)
            while consumer.position(place) < end:
                for batch in consumer.poll(1_000).values():
                    yield from batch


def opened_at(desk: Desk) -> dict[str, float]:
    """When a desk first heard of each alert from `moodwire deliver`."""
    return first_times((json.loads(r.body)["data"]["alert_id"], r.at) for r in desk.requests)


def fired_at(desk: Desk) -> dict[str, float]:
    """When a desk first heard of each alert from Alertmanager."""
    notes = [(json.loads(request.body), request.at) for request in desk.requests]
    return first_times(
        (alert["labels"]["alert_id"], at)
        for note, at in notes
        for alert in note["alerts"]
        if "alert_id" in alert["labels"]
    )


def first_times(heard: Iterable[tuple[str, float]]) -> dict[str, float]:
    """The first time of each name."""
    times: dict[str, float] = {}
    for name, at in heard:
        times.setdefault(name, at)
    return times


def answer(prometheus: str, asked: Asked) -> list[object]:
    """What stands in the charts of one brand, or of all."""
    try:
        return list(ask(prometheus, asked.expr.replace("$brand", BRAND)))
    except OSError:
        return []


def test_prometheus_keeps_exemplars_that_name_posts(stack: Stack) -> None:
    prometheus = f"http://127.0.0.1:{stack.ports.prometheus}"

    found = ask_exemplars(prometheus, "moodwire_reading_delay_seconds_bucket")

    assert {"channel", "post_id"} <= set(found[0]["exemplars"][0]["labels"])
