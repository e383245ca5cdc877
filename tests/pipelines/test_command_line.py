"""Facts about the command line: help teaches, misuse is one line with the remedy."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.command_line import MISUSED, OK, build_parser, main

COMMANDS = (
    "demo",
    "run",
    "replay",
    "score",
    "explain",
    "search",
    "alerts",
    "backtest",
    "dead-letters",
    "models",
    "quality",
    "serve",
    "doctor",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_teaches_by_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args([command, "--help"])

    assert ended.value.code == 0
    assert f"moodwire {command}" in capsys.readouterr().out.split("examples:")[1]


def test_help_shows_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build_parser().parse_args(["--help"])

    shown = capsys.readouterr().out
    assert all(re.search(rf"^    {command}\b", shown, re.MULTILINE) for command in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (["run", "--settings", "nowhere.yaml"], "moodwire.example.yaml"),
        (["replay", "nowhere", "--settings", "SETTINGS"], "JSON-lines file or a folder"),
        (["dead-letters", "list", "nowhere"], "refused nothing"),
        (["serve", "nowhere"], "--output of a run"),
        (
            ["score", "--input", "SETTINGS", "--output", "out", "--checkpoint", "nowhere"],
            "nowhere",
        ),
    ],
)
def test_misuse_is_one_line_that_names_the_remedy(
    arguments: list[str], remedy: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "moodwire.yaml"
    settings.write_text("privacy: {author_key: 0123456789abcdef}")

    code = main([str(settings) if a == "SETTINGS" else a for a in arguments])

    error = capsys.readouterr().err
    assert code == MISUSED
    assert remedy in error.replace("\n", " ") and "Traceback" not in error


def test_a_missing_author_key_is_refused_with_its_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "posts.jsonl").write_text("{}\n")
    (tmp_path / "moodwire.yaml").write_text("brands: [{name: Zed}]")

    code = main(["replay", str(tmp_path), "--settings", str(tmp_path / "moodwire.yaml")])

    assert code == MISUSED
    assert "privacy.author_key" in capsys.readouterr().err


def test_quality_writes_a_report_of_every_expectation(tmp_path: Path) -> None:
    (tmp_path / "posts.jsonl").write_text('{"post_id": "1", "text": "fine", "reach": 3}\n' * 3)

    code = main(["quality", str(tmp_path), "--report", str(tmp_path / "report.html")])

    assert code == OK
    assert "reach" in (tmp_path / "report.html").read_text("utf-8")


def test_what_can_be_asked_for_is_told_without_loading_beam_and_what_it_warns_of() -> None:
    asked = "import sys, pipelines.command_line; sys.exit('apache_beam' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", asked], check=False, capture_output=True)

    assert (told.returncode, told.stderr) == (0, b"")


def test_what_is_logged_says_when() -> None:
    script = (
        "import logging; from pipelines.command_line import _quiet_libraries as set_up; set_up(); "
        "logging.getLogger('pipelines.some').warning('Kafka is away')"
    )
    away_from_utc = {**os.environ, "TZ": "Asia/Kolkata"}
    command = [sys.executable, "-c", script]
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=away_from_utc)

    when, _, said = told.stderr.partition(" WARNING ")
    logged = datetime.strptime(when, "%Y-%m-%d %H:%M:%SZ").replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - logged) < timedelta(minutes=2)
    assert said == "pipelines.some: Kafka is away\n"


@pytest.mark.parametrize("module", ["pipelines.commands", "pipelines.score"])
def test_commands_that_run_no_pipeline_load_no_torch(module: str) -> None:
    asked = f"import sys, {module}; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0


@pytest.mark.parametrize(
    "command",
    [
        ["explain", "--input", "a", "--output", "b", "--limit", "-1"],
        ["search", "--input", "a", "--text", "b", "--limit", "0"],
        ["train", "--data", "a", "--output", "b", "--threads", "0"],
        ["quality", "a", "--report", "b", "--sample", "many"],
    ],
    ids=lambda command: command[0],
)
def test_a_count_below_one_is_refused(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(command)

    assert ended.value.code == MISUSED
    assert f"{command[-1]!r} is no number from 1 up" in capsys.readouterr().err
