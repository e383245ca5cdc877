"""Facts about `moodwire backtest`: its fixed form, its report, and each way to misuse it."""

import csv
import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from pipelines.command_line import MISUSED, OK, main

START = datetime(2026, 3, 2, tzinfo=UTC)
BURST = 10 * 288


def lines(days: int = 14, burst: int = 400) -> list[str]:
    """Quiet counts every five minutes with one burst on the eleventh day."""
    draw = np.random.default_rng(5)
    counts = draw.poisson(30 + 10 * np.sin(np.arange(days * 288) * 2 * np.pi / 288))
    counts[BURST : BURST + 24] += burst
    times = [START + timedelta(minutes=5 * row) for row in range(days * 288)]
    return [f"{at:%Y-%m-%d %H:%M:%S},{n}" for at, n in zip(times, counts, strict=True)]


def write(path: Path, rows: list[str], header: str = "timestamp,value") -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def backtest(folder: Path, *more: str, source: str = "counts.csv") -> int:
    where = ["--input", str(folder / source), "--output", str(folder / "scores.csv")]
    return main(["backtest", *where, *more])


def written_rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "scores.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_output_has_the_fixed_columns_and_the_input_as_it_was_written(tmp_path: Path) -> None:
    rows = lines()
    write(tmp_path / "counts.csv", rows)

    assert backtest(tmp_path) == OK
    found = written_rows(tmp_path)
    assert list(found[0]) == ["timestamp", "value", "anomaly_score", "alert"]
    assert [f"{row['timestamp']},{row['value']}" for row in found] == rows
    assert all(0 <= float(row["anomaly_score"]) <= 1 for row in found)
    (opened,) = [number for number, row in enumerate(found) if row["alert"] == "1"]
    assert BURST <= opened < BURST + 12


def test_a_prefix_gives_the_same_rows(tmp_path: Path) -> None:
    whole = write(tmp_path / "counts.csv", lines())
    backtest(tmp_path)
    expected = written_rows(tmp_path)[: BURST + 6]
    write(whole, lines()[: BURST + 6])

    backtest(tmp_path)
    assert written_rows(tmp_path) == expected


def test_sensitivity_orders_the_alerts(tmp_path: Path) -> None:
    write(tmp_path / "counts.csv", lines(burst=55))
    opened = {}
    for sensitivity in ("low", "medium", "high"):
        assert backtest(tmp_path, "--sensitivity", sensitivity) == OK
        opened[sensitivity] = sum(row["alert"] == "1" for row in written_rows(tmp_path))

    assert opened["low"] <= opened["medium"] <= opened["high"] and opened["high"] == 1


def test_tuning_keeps_to_the_rate_and_says_what_it_chose(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "counts.csv", lines())

    assert backtest(tmp_path, "--tune", "0.1") == OK
    shown = capsys.readouterr().out
    assert "at most 0.1 a week: 0 in the 1.6 weeks judged" in " ".join(shown.split())
    assert "keep it with --threshold" in shown
    assert all(row["alert"] == "0" for row in written_rows(tmp_path))
    assert backtest(tmp_path, "--tune", "1") == OK
    assert sum(row["alert"] == "1" for row in written_rows(tmp_path)) == 1


def test_a_quiet_series_is_not_tuned_to_alert_on_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "counts.csv", lines(burst=0))

    assert backtest(tmp_path, "--tune", "0.5") == OK
    assert "anomaly_score ≥ 0.367879" in capsys.readouterr().out


def test_report_is_one_page_with_series_alerts_and_windows(tmp_path: Path) -> None:
    write(tmp_path / "counts.csv", lines())
    labels = {"counts.csv": [["2026-03-12 00:00:00.000000", "2026-03-12 12:00:00"]]}
    (tmp_path / "windows.json").write_text(json.dumps(labels))
    report = tmp_path / "report.html"

    code = backtest(tmp_path, "--report", str(report), "--windows", str(tmp_path / "windows.json"))

    page = report.read_text("utf-8")
    assert code == OK
    assert "1 of 1 met" in page and "in a labelled window" in page
    assert page.count("<svg") == 1 and 'class="band"' in page and 'class="alert"' in page
    assert "http" not in page and "src=" not in page


def test_compressed_input_further_columns_and_offsets_are_read(tmp_path: Path) -> None:
    text = "id,value,timestamp\n1,3,2026-03-02T01:00:00+01:00\n2,4.5,2026-03-02T00:05:00Z\n\n"
    (tmp_path / "counts.csv.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + text.encode()))

    assert backtest(tmp_path, source="counts.csv.gz") == OK
    assert [row["value"] for row in written_rows(tmp_path)] == ["3", "4.5"]


BAD_FILES = {
    "": "is empty",
    "timestamp,value\n": "holds no rows",
    "time,value\n1,2\n": "no column `timestamp`, only time, value",
    "timestamp,count\n1,2\n": "no column `value`",
    "timestamp,value\nyesterday,2\n": "line 2: `yesterday` is no timestamp",
    "timestamp,value\n2026-03-02,x\n": "line 2: `x` is no number",
    "timestamp,value\n2026-03-02,-1\n": "line 2: -1 is no count",
    "timestamp,value\n2026-03-02,nan\n": "line 2: nan is no count",
    "timestamp,value\n2026-03-02\n": "line 2: has 1 fields",
    "timestamp,value\n2026-03-03,1\n2026-03-02,1\n": "line 3: 2026-03-02 does not come after",
    "timestamp,value\n2026-03-02,1\n2026-03-02,1\n": "line 3: 2026-03-02 does not come after",
    "timestamp,value\n2026-03-02,\xff\n": "not UTF-8",
}


@pytest.mark.parametrize(("text", "cause"), BAD_FILES.items())
def test_a_bad_file_is_one_line_with_its_place(
    text: str, cause: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "counts.csv").write_bytes(text.encode("latin-1"))

    code = backtest(tmp_path)

    error = " ".join(capsys.readouterr().err.split())
    assert code == MISUSED
    assert error.startswith("moodwire: ") and cause in error and "Traceback" not in error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["counts.csv"]


@pytest.mark.parametrize(
    ("more", "cause"),
    [
        (["--tune", "0"], "above 0"),
        (["--tune", "nan"], "above 0"),
        (["--tune", "1"], "weeks past the warm-up; give at least one"),
        (["--threshold", "1.5"], "up to 1"),
        (["--windows", "windows.json"], "--report FILE.html"),
        (["--report", "FOLDER"], "name files, not folders"),
        (["--report", "FOLDER/counts.csv"], "already in use"),
        (["--report", "FOLDER/r.html", "--windows", "FOLDER/none.json"], "cannot be read as JSON"),
        (["--report", "FOLDER/r.html", "--windows", "FOLDER/other.json"], "names other.csv"),
        (["--report", "FOLDER/r.html", "--windows", "FOLDER/odd.json"], "is no window"),
        (["--report", "FOLDER/r.html", "--windows", "FOLDER/late.json"], "ends before"),
        (["--report", "FOLDER/r.html", "--windows", "FOLDER/text.json"], "no list of windows"),
    ],
)
def test_each_misuse_of_an_option_names_the_remedy(
    more: list[str], cause: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "counts.csv", ["2026-03-02,1"])
    (tmp_path / "other.json").write_text('{"other.csv": []}')
    (tmp_path / "odd.json").write_text('[["2026-03-02"]]')
    (tmp_path / "late.json").write_text('[["2026-03-03", "2026-03-02"]]')
    (tmp_path / "text.json").write_text('"windows"')

    code = backtest(tmp_path, *[part.replace("FOLDER", str(tmp_path)) for part in more])

    assert code == MISUSED
    assert cause in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "scores.csv").exists()


def test_a_missing_file_and_two_ways_to_choose_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert backtest(tmp_path) == MISUSED
    assert "no such file" in " ".join(capsys.readouterr().err.split())

    with pytest.raises(SystemExit) as ended:
        backtest(tmp_path, "--tune", "1", "--sensitivity", "low")
    assert ended.value.code == MISUSED


def test_what_stood_there_before_outlives_a_failure(tmp_path: Path) -> None:
    write(tmp_path / "counts.csv", ["2026-03-02,1", "2026-03-01,1"])
    (tmp_path / "scores.csv").write_text("precious")

    assert backtest(tmp_path) == MISUSED
    assert (tmp_path / "scores.csv").read_text() == "precious"
