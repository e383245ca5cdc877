"""Facts about the run folder: what it counts, and what it refuses to overwrite."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.run import Finished, Run
from pipelines.run_folder import FolderInUseError, Outcome, RunFolder, count_outcome
from pipelines.runners import choose_runner
from pipelines.settings import Settings
from schemas.records import Position, Rejection, encode
from tests.builders import a_reading


def a_letter(offset: int, cause: str = "not_json") -> Rejection:
    """A dead letter of stage decode."""
    return Rejection(
        original=b"{", position=Position("posts", 0, offset), stage="decode", cause=cause, detail=""
    )


def write(path: Path, *records: object) -> None:
    """Append records as JSON lines."""
    with path.open("ab") as lines:
        lines.writelines(encode(record) + b"\n" for record in records)  # type: ignore[arg-type]


def finished(read: int, outcome: Outcome, duplicates: int = 0) -> Finished:
    """A run that is over."""
    return Finished(
        read=read,
        duplicates=duplicates,
        outcome=outcome,
        seconds=1.0,
        peak_megabytes=1.0,
        cancelled=False,
    )


def test_what_was_written_twice_is_counted_once(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    write(folder.file("readings"), a_reading(post_id="1"), a_reading(post_id="1"))
    write(folder.file("rejections"), a_letter(1), a_letter(1), a_letter(2, "no_id"))

    outcome = count_outcome(folder)

    assert outcome.readings == 1
    assert outcome.rejections == {("decode", "not_json"): 1, ("decode", "no_id"): 1}


def test_a_run_adds_up_when_every_post_is_accounted_for(tmp_path: Path) -> None:
    outcome = Outcome(readings=7, rejections={("decode", "no_id"): 2})

    assert finished(10, outcome, duplicates=1).adds_up
    assert not finished(11, outcome, duplicates=1).adds_up


def test_an_empty_folder_has_an_empty_outcome(tmp_path: Path) -> None:
    assert count_outcome(RunFolder(tmp_path)) == Outcome()


def test_an_earlier_run_is_not_overwritten_unasked(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    write(folder.file("readings"), a_reading())

    with pytest.raises(FolderInUseError, match="--overwrite"):
        folder.prepare(overwrite=False)


def test_overwriting_starts_from_nothing(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    write(folder.file("readings"), a_reading())

    folder.prepare(overwrite=True)

    assert [path.name for path in tmp_path.iterdir()] == ["media"]


def test_a_run_that_resumes_keeps_what_is_there(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    write(folder.file("readings"), a_reading())

    resumed = folder.prepare(overwrite=False, resume=True)

    assert resumed
    assert count_outcome(folder).readings == 1


@pytest.mark.parametrize("half", [b"", b'{"channel": "x', b"x" * 200_000])
def test_a_run_that_resumes_cuts_the_line_that_a_killed_one_was_writing(
    half: bytes, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path)
    write(folder.file("readings"), a_reading(post_id="1"))
    folder.file("trends").write_bytes(half)
    with folder.file("readings").open("ab") as lines:
        lines.write(half)

    folder.prepare(overwrite=False, resume=True)
    write(folder.file("readings"), a_reading(post_id="2"))

    assert count_outcome(folder).readings == 2
    assert folder.file("trends").read_bytes() == b""


def test_a_resumed_run_is_not_held_to_the_counts_of_others() -> None:
    resumed = replace(finished(1, Outcome(readings=7)), resumed=True)

    assert resumed.adds_up is None


def test_counters_that_cannot_be_written_now_do_not_end_the_run(tmp_path: Path) -> None:
    planned = Run(Settings(), choose_runner("in-memory"), RunFolder(tmp_path), stages=None)  # type: ignore[arg-type]
    (tmp_path / "counters.json").mkdir()

    planned.snapshot({"moodwire_posts_read_total": 1}, running=True)
    (tmp_path / "counters.json").rmdir()
    planned.snapshot({"moodwire_posts_read_total": 2}, running=True)

    assert '"moodwire_posts_read_total": 2' in (tmp_path / "counters.json").read_text()
