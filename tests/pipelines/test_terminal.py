"""Facts about the terminal: one line of progress, a summary that says whether it adds up."""

import io

import pytest
from rich.console import Console

from pipelines.run import Finished
from pipelines.run_folder import Outcome
from pipelines.terminal import Rate, describe, print_summary
from schemas.metrics import POSTS_READ, READINGS, WATERMARK


def shown(finished: Finished) -> str:
    """What the summary prints."""
    console = Console(file=io.StringIO(), width=120)
    print_summary(finished, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(("readings", "verdict"), [(9, "yes"), (8, "NO")])
def test_the_summary_says_whether_the_run_adds_up(readings: int, verdict: str) -> None:
    finished = Finished(
        read=10,
        duplicates=0,
        outcome=Outcome(readings=readings, rejections={("decode", "no_id"): 1}),
        seconds=2.0,
        peak_megabytes=5.0,
        cancelled=False,
    )

    assert f"adds up              │ {verdict}" in shown(finished)
    assert "no_id" in shown(finished)


def test_progress_sums_a_counter_over_its_labels() -> None:
    counters = {
        POSTS_READ.name: 7,
        f'{READINGS.name}{{channel="x",model="m"}}': 2,
        f'{READINGS.name}{{channel="reddit",model="m"}}': 3,
        WATERMARK.name: 1_781_784_000,
    }

    line = describe(counters, rate=3.0).plain

    assert "posts 7" in line and "readings 5" in line
    assert "2026-06-18 12:00 UTC" in line


def test_the_rate_is_that_of_the_last_ten_seconds() -> None:
    rate = Rate()
    rate.update(0.0, 0)
    rate.update(50.0, 5000)

    assert rate.update(55.0, 5100) == 20.0
