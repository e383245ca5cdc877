"""Facts about order: neither it nor the runner changes what a stream finally comes to."""

from pathlib import Path

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


def test_posts_in_another_order_come_to_the_same(
    in_order: Run, posts: Path, tmp_path: Path
) -> None:
    disordered = replay(shuffled(posts, seed=7), tmp_path / "out", "prism", "--speed", "2000")

    assert disordered.code == 0, disordered.said
    assert disordered.final("trends.jsonl") == in_order.final("trends.jsonl")
    assert disordered.final("alerts.jsonl") == in_order.final("alerts.jsonl")
    assert disordered.final("topics.jsonl") == in_order.final("topics.jsonl")
