"""Facts about the demo: the shipped day goes through all stages and the crisis is found."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.commands import DEMO
from pipelines.run_folder import FILES
from schemas.records import Alert, Reading, Record, Rejection, Trend, decode, encode
from tests.end_to_end.runs import Run, moodwire

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("demo") / "out"
    arguments = ("demo", "--once", "--speed", "1e6", "--port", "0", "--runner", "prism")
    return moodwire(folder, *arguments, "--output", str(folder))


def test_the_demo_ends_well_and_adds_up(demo: Run) -> None:
    assert demo.code == 0, demo.said
    assert "Prism" in demo.said
    assert len(demo.records("readings.jsonl")) > 2500


def test_what_the_demo_spoils_is_found_in_the_dead_letters(demo: Run) -> None:
    causes = {letter["cause"] for letter in demo.records("dead-letters.jsonl")}

    assert {"not_json", "bad_timestamp", "clock_out_of_range", "too_late", "no_id"} <= causes


@pytest.mark.parametrize("kind", [Reading, Trend, Alert, Rejection])
def test_records_are_the_same_bytes_once_they_have_been_read(demo: Run, kind: type[Record]) -> None:
    name = FILES[f"{kind.__name__.lower()}s"]

    for line in (demo.folder / name).read_bytes().splitlines():
        assert encode(decode(line, kind)) == line


def test_the_crisis_is_told_with_the_pictures_behind_it(demo: Run) -> None:
    crises = [alert for alert in final_alerts(demo) if alert["brand"] == "Oatmere"]

    for kind in ("image_led_crisis", "crisis"):
        evidence = next(alert for alert in crises if alert["kind"] == kind)["evidence"]
        pictures = {post["thumbnail"] for post in evidence if post["thumbnail"]}
        assert pictures
        assert all((demo.folder / "media" / f"{name}.jpg").exists() for name in pictures)


def test_the_alerts_are_those_of_the_story_and_no_others(demo: Run) -> None:
    story = json.loads((DEMO / "story.json").read_text("utf-8"))
    alerts = final_alerts(demo)

    for expected in story["expected_alerts"]:
        assert any(answers(alert, expected) for alert in alerts), expected
    for alert in alerts:
        known = [*story["expected_alerts"], *story["notices"]]
        assert any(answers(alert, expected) for expected in known), alert


def final_alerts(run: Run) -> list[dict[str, Any]]:
    """The alerts of a run that no late post can change any more."""
    return [alert for alert in run.records("alerts.jsonl") if alert["final"]]


def answers(alert: dict[str, Any], expected: dict[str, Any]) -> bool:
    """Whether `alert` is of the brand and kind that the story tells, and overlaps its time."""
    overlaps = alert["since"] <= expected["to"] and alert["resolved_at"] >= expected["from"]
    return alert["brand"] == expected["brand"] and alert["kind"] in expected["any_of"] and overlaps


def test_dead_letters_can_be_listed_and_replayed(demo: Run, tmp_path: Path) -> None:
    listed = moodwire(demo.folder, "dead-letters", "list", str(demo.folder), "--show", "1")
    again = moodwire(
        tmp_path / "again",
        "dead-letters", "replay", str(demo.folder),
        "--cause", "too_late",
        "--settings", str(DEMO / "moodwire.yaml"),
        "--output", str(tmp_path / "again"),
        "--runner", "in-memory",
    )  # fmt: skip

    assert listed.code == 0 and "too_late" in listed.said
    assert again.code == 0, again.said
    assert all(reading["post_id"] for reading in again.records("readings.jsonl"))
