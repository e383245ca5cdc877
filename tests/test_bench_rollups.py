"""Facts about what hours and days cost."""

from benchmarks.bench_rollups import bytes_of_state, run_stage
from tests.builders import a_stream


def test_an_hour_and_a_day_hold_some_kilobytes_for_thousands_of_posts() -> None:
    rows = bytes_of_state(a_stream(6 * 3600, 10))

    assert [(row["seconds"], row["slice"]) for row in rows] == [
        *[(3600, "*/*/*"), (3600, "x/*/*")],
        *[(86_400, "*/*/*"), (86_400, "x/*/*")],
    ]
    assert all(1_000 < row["bytes"] < 20_000 for row in rows)


def test_the_stage_runs_with_and_without() -> None:
    readings = a_stream(600, 3)

    assert all(run_stage(readings, lengths)["cpu"] > 0 for lengths in (None, (3600,)))
