"""Facts about the benchmarks: small ones run to their end, and the soak's verdict is a judge."""

import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from benchmarks import bench_exporter, bench_kafka
from benchmarks.demo_stream import DAY_SECONDS, Played, midnight, play, read_templates
from benchmarks.soak_report import write_soak_report
from schemas.records import Delivery, Position
from transforms.channels.registry import event_time_of, read_source_post
from transforms.refusals import Refused

HERE = Position("posts", 0, 0)
# kafka-python leaves the sockets of refused connections to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


def identity(post: Played) -> tuple[str, str] | None:
    try:
        found = read_source_post(Delivery(value=post.value, position=HERE, channel=post.channel))
    except Refused:
        return None
    return found.channel, found.post_id


def test_each_loop_of_the_demo_is_a_day_later_with_ids_of_its_own() -> None:
    templates = read_templates()
    posts = list(islice(play(templates, midnight(30)), 2 * len(templates)))
    first, second = posts[: len(templates)], posts[len(templates) :]

    assert not {identity(p) for p in first} & {identity(p) for p in second} - {None}
    assert {
        round(b.event_time - a.event_time)
        for a, b in zip(first, second, strict=True)
        if a.event_time is not None and b.event_time is not None
    } == {DAY_SECONDS}


def test_posts_say_the_time_they_are_played_at() -> None:
    posts = [post for post in islice(play(read_templates(), midnight(30)), 400) if post.event_time]

    assert all(
        abs((event_time_of(post.value, post.channel) or 0) - (post.event_time or 0)) < 1
        for post in posts
    )


def a_sample(minute: int, worker: float) -> dict[str, Any]:
    return {
        "at": minute * 60.0,
        "megabytes": {"broker": 400.0 + minute % 3, "worker-7": worker},
        "cpu_seconds": {"broker": minute * 6.0},
        "topics": dict.fromkeys(("posts", "readings", "trends", "alerts", "dead-letters"), minute),
        "lag": 100 + minute % 2,
        "watermark": 1_000_000 + minute * 86_400,
        "newest_event": 1_000_100 + minute * 86_400,
        "checkpoint_at": minute * 60.0,
        "checkpoint_milliseconds": 200 + minute % 5,
        "checkpoint_bytes": 2_000_000,
        "checkpoints_on_disk_bytes": 6_000_000,
    }


def test_a_soak_tells_memory_that_grows_from_memory_that_does_not(tmp_path: Path) -> None:
    lines = [json.dumps(a_sample(minute, 500 + 2.0 * minute)) for minute in range(60)]
    (tmp_path / "soak.jsonl").write_text("\n".join(lines) + "\n")
    machine = {"date": "", "cores": 2, "processor": "", "memory_gib": 24, "system": ""}
    machine |= {"python": "", "java": "", "kafka": "", "flink": "", "packages": {}}

    write_soak_report({**machine, "load_before": 0}, {"rate": 10}, tmp_path)

    found = {s["name"]: s for s in json.loads((tmp_path / "soak.json").read_text())["slopes"]}
    assert found["worker-7, MB"]["per_hour"] == pytest.approx(120)
    assert [name for name, s in found.items() if not s["is_flat"]] == ["worker-7, MB"]


@pytest.mark.timeout(600)
def test_the_source_is_measured_beside_a_raw_client(tmp_path: Path) -> None:
    arguments = ["--records", "2000", "--rounds", "1", "--only", "raw-kafka-python", "prism"]
    places = ["--home", str(tmp_path / "home"), "--results", str(tmp_path)]

    assert bench_kafka.main([*arguments, *places]) == 0
    found = json.loads((tmp_path / "kafka.json").read_text())["source"]
    assert {row["runs"][0]["records"] for row in found.values()} == {2000}


@pytest.mark.timeout(600)
def test_exporter_and_page_are_measured_with_few_brands(tmp_path: Path) -> None:
    arguments = ["--brands", "20", "--windows", "3", "--seconds", "1"]
    places = ["--home", str(tmp_path / "home"), "--results", str(tmp_path)]

    assert bench_exporter.main([*arguments, *places]) == 0
    (run,) = json.loads((tmp_path / "exporter.json").read_text())["runs"]
    assert (run["series"], run["page"]["windows"]) == (120, 360)
    assert (run["viewers"]["panes"], run["viewers"]["missing"], run["viewers"]["resets"]) == (
        100,
        0,
        0,
    )
