"""Facts about killed servers: nothing is lost or counted twice, and the harness would notice.

`make chaos` has all faults, several times each; here is what fits into every build.
"""

from collections.abc import Iterator

import pytest

from tests.end_to_end.chaos.run import Chaos, is_exact
from tests.end_to_end.chaos.stack import running

POSTS = 160

pytestmark = [
    pytest.mark.timeout(900),
    # kafka-python leaves the sockets of refused connections to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]


@pytest.fixture(scope="module")
def chaos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chaos]:
    home = tmp_path_factory.mktemp("chaos")
    with running(home / "stack") as stack:
        yield Chaos(stack, home, posts=POSTS)


def test_a_killed_task_manager_loses_nothing_and_counts_nothing_twice(chaos: Chaos) -> None:
    result = chaos.run("task-manager", 1)

    assert "error" not in result, result["error"]
    assert is_exact(result), result
    assert result["final_trends"] > 100


def test_commits_before_the_checkpoint_would_be_found_out(chaos: Chaos) -> None:
    result = chaos.run("planted", 1)

    assert "error" not in result, result["error"]
    assert result["lost"] > 0
    assert result["trend_differences"]["differing"] + result["trend_differences"]["missing"] > 0
