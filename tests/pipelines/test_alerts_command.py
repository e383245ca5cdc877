"""Facts about `moodwire alerts` as a person types it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.command_line import MISUSED, OK, main
from pipelines.feedback import FeedbackError, FeedbackFolder
from pipelines.run_folder import RunFolder
from schemas.records import AlertFeedback, encode
from tests.dashboards.incidents import an_alert, some_feedback
from tests.dashboards.run_folder import append


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run with one alert that fires and one that is over."""
    append(
        tmp_path / "alerts.jsonl",
        an_alert("3fa9c0de", "Nova", severity=6),
        an_alert("3fb00000", "[bold]Orion[/]", status="resolved", severity=3),
        an_alert("3fa9c0de", "Nova", severity=8, revision=2),
    )
    return tmp_path


def feedback_in(folder: Path) -> list[AlertFeedback]:
    return [found for found in FeedbackFolder(folder).read() if isinstance(found, AlertFeedback)]


def alerts(folder: Path, *given: str) -> int:
    return main(["alerts", *given, "--run", str(folder)])


def test_alerts_are_listed_as_they_stand(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert alerts(folder, "list") == OK
    listed = capsys.readouterr().out

    assert listed.count("3fa9c0de") == 1 and "Nova" in listed
    assert "[bold]Orion[/]" in listed
    alerts(folder, "list", "--firing")
    assert "Orion" not in capsys.readouterr().out


def test_a_person_acknowledges_snoozes_and_judges(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert alerts(folder, "acknowledge", "3fa", "--by", "Ada", "--note", "on it") == OK
    assert alerts(folder, "snooze", "3fa9", "--for", "90m", "--by", "Bo") == OK
    assert alerts(folder, "verdict", "3fb", "false", "--by", "Ada") == OK
    acknowledged, snoozed, judged = feedback_in(folder)

    assert (acknowledged.alert_id, acknowledged.by) == ("3fa9c0de", "Ada")
    assert acknowledged.note == "on it"
    assert snoozed.until is not None
    assert snoozed.until - snoozed.at == timedelta(minutes=90)
    assert (judged.alert_id, judged.verdict) == ("3fb00000", "false")
    alerts(folder, "list")
    assert "acknowledged by Ada" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        (["acknowledge", "--by", "Ada"], "`list` shows them"),
        (["acknowledge", "nobody", "--by", "Ada"], "no such alert"),
        (["acknowledge", "3f", "--by", "Ada"], "give more of it"),
        (["acknowledge", "3fa"], "--by"),
        (["verdict", "3fa", "--by", "Ada"], "true, false or duplicate"),
        (["acknowledge", "3fa", "true", "--by", "Ada"], "verdict"),
        (["acknowledge", "3fa", "--by", "x" * 81], "80"),
    ],
)
def test_misuse_is_one_line_that_names_the_remedy(
    folder: Path, given: list[str], remedy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert alerts(folder, *given) == MISUSED

    error = " ".join(capsys.readouterr().err.split())
    assert remedy in error and "Traceback" not in error
    assert feedback_in(folder) == []


@pytest.mark.parametrize("length", ["soon", "0h", "4", "-1h", "4 weeks"])
def test_a_length_that_is_none_is_refused(
    folder: Path, length: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        alerts(folder, "snooze", "3fa", f"--for={length}", "--by", "Ada")

    assert "write 90m, 4h or 2d" in capsys.readouterr().err


def test_a_place_that_is_none_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = tmp_path / "moodwire.yaml"
    settings.write_text("title: Desk\n")

    assert main(["alerts", "list", "--run", str(tmp_path / "nowhere")]) == MISUSED
    assert "--output of a run" in capsys.readouterr().err
    assert main(["alerts", "list", "--settings", str(settings)]) == MISUSED
    assert "sinks.kafka" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(FeedbackError, match=r"alert-feedback\.jsonl: cannot be written"):
        FeedbackFolder(tmp_path / "gone").write(some_feedback("a"))


def test_a_half_written_line_is_left_out(folder: Path) -> None:
    (folder / "alert-feedback.jsonl").write_bytes(encode(some_feedback("a")) + b'\n{"alert_id": "b')

    assert feedback_in(folder) == [some_feedback("a")]


def test_a_run_that_is_begun_anew_forgets_what_people_did(folder: Path) -> None:
    append(folder / "alert-feedback.jsonl", some_feedback("3fa9c0de"))
    RunFolder(folder).prepare(overwrite=False, resume=True)
    assert feedback_in(folder) != []

    RunFolder(folder).prepare(overwrite=True)

    assert feedback_in(folder) == []
