"""What dashboards and rules ask is answered on a running stack that reads the demo's days.

Kafka, a Flink cluster with its job, the exporter and Prometheus with the shipped configuration. The
stream is the demo's, with a few posts added that break what its own do not break. The table of all
answers is printed. What only an outage or a second model tells is asked of a run folder instead
(test_promql.py): a shadow leaves out every post while the cores are busy.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from itertools import chain

import pytest

from benchmarks.demo_stream import Played, midnight, play, read_templates
from benchmarks.monitor_runs import running, write_settings
from benchmarks.own_stack import own_stack
from benchmarks.playing import Player
from benchmarks.runs_of_jobs import cancel
from deploy.kafka.topics import create_topics, read_topics
from deploy.stack import Stack
from tests.end_to_end.promql import (
    PANELS,
    PARTS_OF_RULES,
    RECORDS,
    Asked,
    answers_in_time,
    ask,
    ask_exemplars,
)

RATE = 25.0
MAY_BE_SILENT = re.compile(r"moodwire_shadow_|moodwire_sink_retries_total")
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
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack on which a job reads, all of it watched."""
    home = tmp_path_factory.mktemp("stack")
    with own_stack(home, task_managers=1) as stack:
        servers = stack.broker.bootstrap_servers
        create_topics(servers, read_topics())
        settings = write_settings(stack, flink={"job_name": "moodwire"})
        stack.watchers.start()
        posts = chain(odd_posts(), play(read_templates(), midnight(2)))
        player = Player(servers, "posts", posts, RATE)
        with running(settings, "flink", home / "run.log"):
            player.start()
            try:
                yield stack
            finally:
                player.stop()
        cancel(stack, "moodwire")


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
