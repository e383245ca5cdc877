"""Facts about order: neither it nor the runner changes what a stream finally comes to."""

import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.runs import Run, hours_of_demo, replay, shuffled

FIRST_HOUR, LAST_HOUR = 13.0, 16.5  # the crisis of the demo begins and peaks

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def posts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hours_of_demo(tmp_path_factory.mktemp("posts"), FIRST_HOUR, LAST_HOUR)


@pytest.fixture(scope="module")
def in_order(posts: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return replay(posts, tmp_path_factory.mktemp("in-order") / "out", "prism")


def test_a_run_accounts_for_every_post(in_order: Run) -> None:
    assert in_order.code == 0, in_order.said
    assert len(in_order.final("trends.jsonl")) > 50
    assert len(in_order.final("alerts.jsonl")) > 0
    assert len(in_order.final("topics.jsonl")) > 10


def test_the_same_posts_twice_come_to_the_same(in_order: Run, posts: Path, tmp_path: Path) -> None:
    again = replay(posts, tmp_path / "out", "in-memory")

    assert again.code == 0, again.said
    assert again.final("trends.jsonl") == in_order.final("trends.jsonl")
    assert again.final("alerts.jsonl") == in_order.final("alerts.jsonl")
    assert again.final("topics.jsonl") == in_order.final("topics.jsonl")
    assert again.final("rollups.jsonl") == in_order.final("rollups.jsonl")


def test_posts_in_another_order_come_to_the_same(
    in_order: Run, posts: Path, tmp_path: Path
) -> None:
    disordered = replay(shuffled(posts, seed=7), tmp_path / "out", "prism", "--speed", "2000")

    assert disordered.code == 0, disordered.said
    assert disordered.final("trends.jsonl") == in_order.final("trends.jsonl")
    assert disordered.final("alerts.jsonl") == in_order.final("alerts.jsonl")
    assert disordered.final("topics.jsonl") == in_order.final("topics.jsonl")
    assert disordered.final("rollups.jsonl") == in_order.final("rollups.jsonl")


def test_hours_and_days_hold_the_posts_of_their_windows(in_order: Run) -> None:
    windows = [w for w in map(json.loads, in_order.final("trends.jsonl")) if side_by_side(w)]
    expected: Counter[str] = Counter()
    for window in windows:
        for length in (3600, 86_400):
            expected[long_key(window, length)] += window["posts"]
    rollups = [json.loads(line) for line in in_order.final("rollups.jsonl")]

    assert {long_key(r, seconds(r)): r["posts"] for r in rollups} == dict(expected)
    assert sum(r["posts"] > 0 for r in rollups) == len(rollups) > 10


def start_of(record: dict[str, Any]) -> int:
    return int(datetime.fromisoformat(record["window_start"]).timestamp())


def seconds(record: dict[str, Any]) -> int:
    return int(datetime.fromisoformat(record["window_end"]).timestamp()) - start_of(record)


def side_by_side(window: dict[str, Any]) -> bool:
    return start_of(window) % seconds(window) == 0


def long_key(record: dict[str, Any], length: int) -> str:
    start = start_of(record)
    return f"{record['brand']} {record['slice']} {start - start % length} {length}"
