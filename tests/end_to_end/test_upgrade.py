"""Facts about going on from the savepoint of an earlier release."""

import tarfile
from pathlib import Path

import pytest

from tests.end_to_end.chaos import compare
from tests.end_to_end.upgrade import halves, prepared, releases, unlike

NOT_COUNTED_BEFORE = ".echo"  # of windows that the earlier release began

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]


def test_there_is_a_release_to_go_on_from() -> None:
    assert releases()


@pytest.mark.parametrize("release", releases()[-1:], ids=lambda file: file.name)
def test_the_last_releases_state_is_kept(release: Path, tmp_path: Path) -> None:
    first, second, closing = halves()
    with prepared(tmp_path) as upgrade:
        upgrade.play(first)
        before = upgrade.expected()
        with tarfile.open(release) as archive:
            archive.extractall(upgrade.state / "savepoints", filter="data")

        upgrade.launcher.start()
        upgrade.play(second, closing)
        whole = upgrade.expected()
        new = compare.final_records(whole["readings"]).keys() - compare.final_records(
            before["readings"]
        )
        upgrade.await_readings(len(new))
        upgrade.launcher.until(
            lambda: (
                upgrade.outputs.poll() == 0
                and compare.difference(upgrade.outputs.written, whole, "trends")["missing"] == 0
            ),
            "final trends are missing",
            300,
        )

        found = upgrade.outputs.written
        assert compare.final_records(found["readings"]).keys() == new  # the rest was not read again
        assert [
            one for one in unlike(found, whole, "trends") if NOT_COUNTED_BEFORE not in one
        ] == []
        assert unlike(found, whole, "alerts") == []
