"""Facts about `moodwire digest` as a person runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.command_line import MISUSED, OK, main
from tests.pipelines.digest.days import a_day, write

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    write([*a_day("Nova"), *a_day("Orion")], folder)
    return folder


def test_a_day_of_a_run_folder_is_written_as_page_text_and_charts(
    run: Path, tmp_path: Path, capsys: Captured
) -> None:
    given = ["--run", str(run), "--day", "2026-06-18", "--output", str(tmp_path / "digests")]
    code = main(["digest", *given])
    shown = capsys.readouterr().out

    assert code == OK
    assert sorted(file.name for file in (tmp_path / "digests").iterdir()) == [
        "digest-2026-06-18-1-nova.png",
        "digest-2026-06-18-2-orion.png",
        "digest-2026-06-18.html",
        "digest-2026-06-18.txt",
    ]
    title, text = (tmp_path / "digests/digest-2026-06-18.txt").read_text().split("\n\n", 1)
    assert title in shown and text in shown
    assert "No post of the run was refused." in shown


def test_settings_say_whose_days_and_brands_and_options_come_first(
    run: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL", "mailto://127.0.0.1")
    settings = tmp_path / "moodwire.yaml"
    settings.write_text(
        "brands: [{name: Nova}, {name: Orion}]\n"
        "delivery: {services: [{name: mail, url: '${MAIL}'}]}\n"
        "digest: {timezone: Asia/Tokyo, brands: [Orion], sinks: [mail]}\n"
    )
    given = ["digest", "--run", str(run), "--settings", str(settings), "--day", "2026-06-18"]
    given += ["--output", str(tmp_path / "digests")]
    codes = [main(given), main([*given, "--timezone", "UTC", "--brand", "Nova"])]
    first, second = capsys.readouterr().out.split("page, text and charts: ")[:2]

    assert codes == [OK, OK]
    assert "times in Asia/Tokyo" in first and "Orion" in first and "Nova\n" not in first
    assert "times in UTC" in second and "Orion" not in second


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--day", "2020-01-01"], "there are some from 2026-06-16 to 2026-06-18"),
        (["--day", "2026-06-18", "--brand", "Nobody"], "no windows of Nobody at all"),
        (["--day", "2026-06-18", "--timezone", "Mars"], "--timezone: 'Mars' is no time zone"),
    ],
)
def test_misuse_is_one_line_with_the_remedy(
    given: list[str], said: str, run: Path, capsys: Captured
) -> None:
    assert main(["digest", "--run", str(run), *given]) == MISUSED
    assert said in " ".join(capsys.readouterr().err.split())


def test_no_folder_and_no_topics_are_said(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("moodwire.yaml").write_text("title: Nothing\n")

    assert main(["digest", "--run", "nowhere"]) == MISUSED
    assert "nowhere: no such folder" in capsys.readouterr().err
    assert main(["digest"]) == MISUSED
    assert "sinks.kafka: missing" in capsys.readouterr().err
