"""Facts about going on from the savepoint of an earlier release."""

import json
import tarfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.chaos import compare
from tests.end_to_end.upgrade import halves, prepared, releases, unlike

# Of windows that the earlier release began: what its model read in the first half, which may be
# another model than this one's, and what it did not count yet.
SAID_BY_THE_MODEL = {
    "model",
    "mood",
    "valence",
    "valence_reach_weighted",
    "image_valence",
    "image_weight",
    "share_negative",
    "negative_authors",
    "abstained",
    "exemplars",
    "echo",
}
# Of alerts: what follows from it, their end included, since what is usual was learned by it too.
TOLD_WITH_IT = {
    "evidence",
    "signals",
    "severity",
    "title",
    "cause_terms",
    "recommendation",
    "resolved_at",
    "updated_at",
    "revision",
}

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
        went_on = min(
            json.loads(record.value)["created_at"]
            for record in whole["readings"]
            if record.key in new
        )

        def begun_before(trend: dict[str, Any]) -> Collection[str]:
            return SAID_BY_THE_MODEL if trend["window_start"] < went_on else ()

        assert unlike(found, whole, "trends", begun_before) == []
        assert unlike(found, whole, "alerts", lambda _: TOLD_WITH_IT) == []
