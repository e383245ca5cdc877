from __future__ import annotations

import json
from pathlib import Path

import pytest

from dashboards.live import follower as follower_module
from dashboards.live.follower import Follower
from schemas.records import encode
from tests.dashboards.incidents import an_alert, at
from tests.dashboards.run_folder import (
    a_trend,
    append,
    build_counters,
    build_run_folder,
    write_counters,
)
from tests.dashboards.story import Moment

CALM = Moment(posts=20, valence=0.2, image_share=0.3)


def follow(folder: Path) -> Follower:
    return Follower(folder)


def drain(follower: Follower) -> None:
    while follower.poll():
        pass


def starts(follower: Follower) -> list[int]:
    return sorted(window.start for window in follower.state.windows.journal.values())


def status(follower: Follower) -> str:
    return follower.state.run.status


def trend_line(hour: float) -> bytes:
    return encode(a_trend("Aerolume", at(hour), CALM)) + b"\n"


def epochs(*hours: float) -> list[float]:
    return [at(hour).timestamp() for hour in hours]


def test_a_folder_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    follower = follow(tmp_path / "later")
    drain(follower)
    assert status(follower) == "waiting"

    (tmp_path / "later").mkdir()
    append(tmp_path / "later" / "alerts.jsonl", an_alert("a", "Aerolume"))
    drain(follower)

    assert len(follower.state.alerts) == 1
    assert status(follower) == "running"


def test_a_line_without_its_end_is_read_once_whole(tmp_path: Path) -> None:
    path, line = tmp_path / "trends.jsonl", trend_line(9)
    follower = follow(tmp_path)
    for end in (40, len(line) - 1, len(line)):
        path.write_bytes(line[:end])
        drain(follower)

    assert starts(follower) == epochs(9)
    assert follower.state.run.unreadable_lines == 0


def test_a_line_longer_than_a_chunk_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "CHUNK_BYTES", 64)
    (tmp_path / "trends.jsonl").write_bytes(trend_line(9) + trend_line(10))
    follower = follow(tmp_path)
    drain(follower)

    assert starts(follower) == epochs(9, 10)


def test_a_file_that_was_rewritten_starts_a_new_state(tmp_path: Path) -> None:
    path = tmp_path / "trends.jsonl"
    path.write_bytes(trend_line(9) + trend_line(10))
    follower = follow(tmp_path)
    drain(follower)
    before = follower.state.epoch

    path.write_bytes(trend_line(11))
    drain(follower)

    assert starts(follower) == epochs(11)
    assert follower.state.epoch != before


def test_a_rewritten_file_is_seen_even_if_it_grew(tmp_path: Path) -> None:
    path = tmp_path / "trends.jsonl"
    path.write_bytes(trend_line(9))
    follower = follow(tmp_path)
    drain(follower)

    path.write_bytes(trend_line(11) + trend_line(12))
    drain(follower)

    assert starts(follower) == epochs(11, 12)


def test_a_removed_file_starts_a_new_state(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    append(path, an_alert("a", "Aerolume"))
    follower = follow(tmp_path)
    drain(follower)

    path.unlink()
    drain(follower)

    assert len(follower.state.alerts) == 0


def test_a_rotated_file_is_read_to_its_end_and_nothing_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "trends.jsonl"
    path.write_bytes(trend_line(9))
    follower = follow(tmp_path)
    drain(follower)
    before = follower.state.epoch

    path.write_bytes(trend_line(9) + trend_line(10))
    path.rename(tmp_path / "trends.jsonl.1")
    path.write_bytes(trend_line(11))
    drain(follower)

    assert starts(follower) == epochs(9, 10, 11)
    assert follower.state.epoch == before


def test_lines_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    newer = json.dumps(json.loads(trend_line(9)) | {"schema_version": 99}).encode()
    lines = (b"{", b'{"brand": 3}', b"\xff\xfe", newer, b"", trend_line(10).rstrip())
    (tmp_path / "trends.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    follower = follow(tmp_path)
    drain(follower)

    assert follower.state.run.unreadable_lines == 4
    assert starts(follower) == epochs(10)


def test_a_run_ends_and_falls_silent_as_its_counters_say(tmp_path: Path) -> None:
    follower = follow(tmp_path)
    write_counters(tmp_path, build_counters(running=True))
    written = (tmp_path / "counters.json").stat().st_mtime
    follower.poll(now=written + 1)
    assert status(follower) == "running"

    follower.poll(now=written + 60)
    assert status(follower) == "stalled"

    write_counters(tmp_path, build_counters(running=False))
    follower.poll(now=written + 120)
    assert status(follower) == "ended"


def test_half_written_counters_leave_the_last_ones_standing(tmp_path: Path) -> None:
    follower = follow(tmp_path)
    write_counters(tmp_path, build_counters())
    drain(follower)

    (tmp_path / "counters.json").write_text('{"moodwire_posts_read_to')
    drain(follower)

    assert follower.state.stages.read == 48_112
    assert follower.state.run.title == "Moodwire demo"


def test_a_second_follower_of_a_grown_folder_sees_the_same(tmp_path: Path) -> None:
    first = follow(tmp_path)
    first.poll()
    build_run_folder(tmp_path)
    drain(first)
    second = follow(tmp_path)
    drain(second)

    def content(follower: Follower) -> list[object]:
        update = follower.state.changes()
        return [sorted(update.windows, key=repr), update.alerts, update.stages]

    assert content(first) == content(second)
