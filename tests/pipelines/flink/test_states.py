import os
from pathlib import Path

from pipelines.flink.states import JobRecord, newest_state, prune_checkpoints


def checkpoint(folder: Path, job: str, name: str, at: int) -> Path:
    place = folder / job / name
    place.mkdir(parents=True)
    (place / "_metadata").write_bytes(b"")
    os.utime(place / "_metadata", (at, at))
    return place


def test_the_newest_whole_state_counts_and_an_unfinished_one_does_not(tmp_path: Path) -> None:
    checkpoint(tmp_path, "a", "chk-9", at=100)
    newest = checkpoint(tmp_path, "b", "chk-2", at=200)
    (tmp_path / "b" / "chk-3").mkdir()

    assert newest_state(tmp_path) == newest


def test_there_is_no_state_before_the_first_run(tmp_path: Path) -> None:
    assert newest_state(tmp_path / "never") is None
    assert JobRecord(tmp_path, "moodwire").read_state() is None


def test_pruning_keeps_the_running_job_alone(tmp_path: Path) -> None:
    checkpoint(tmp_path, "old", "chk-1", at=100)
    kept = checkpoint(tmp_path, "new", "chk-1", at=50)

    prune_checkpoints(tmp_path, kept="new")

    assert newest_state(tmp_path) == kept and not (tmp_path / "old").exists()


def test_a_checkpoint_that_came_after_the_launchers_last_look_is_found(tmp_path: Path) -> None:
    record = JobRecord(tmp_path / "launcher", "moodwire")
    seen = checkpoint(tmp_path, "job", "chk-1", at=100)
    newer = checkpoint(tmp_path, "job", "chk-2", at=200)
    record.write_state(seen.as_uri())

    assert record.read_state() == newer.as_uri()


def test_a_place_that_this_machine_cannot_see_is_taken_as_told(tmp_path: Path) -> None:
    record = JobRecord(tmp_path, "moodwire")
    record.write_state("s3://bucket/checkpoints/job/chk-7")

    assert record.read_state() == "s3://bucket/checkpoints/job/chk-7"


def test_a_savepoint_is_taken_as_it_is(tmp_path: Path) -> None:
    record = JobRecord(tmp_path, "moodwire")
    savepoint = checkpoint(tmp_path, "savepoints", "savepoint-1", at=100)
    checkpoint(tmp_path, "savepoints", "savepoint-2", at=200)
    record.write_state(savepoint.as_uri())

    assert record.read_state() == savepoint.as_uri()
