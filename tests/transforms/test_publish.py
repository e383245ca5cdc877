"""Facts about sinks: nothing is lost while one is away, and writing twice changes nothing."""

import itertools
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.testing.test_pipeline import TestPipeline

from schemas.records import Media, Position, Rejection, decode
from tests.full_disk import files_of_at_most
from transforms.publish import WriteJsonLines, append_lines, pauses, store_rendition, until_done


def a_rejection(offset: int) -> Rejection:
    """A dead letter at `offset`."""
    return Rejection(
        original=b"\x00\xff",
        position=Position("posts", 0, offset),
        stage="decode",
        cause="not_json",
        detail="",
    )


def test_records_are_written_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "new" / "dead-letters.jsonl"

    with TestPipeline(runner="FnApiRunner") as pipeline:
        _ = pipeline | beam.Create([a_rejection(n) for n in range(20)]) | WriteJsonLines(str(path))

    written = [decode(line, Rejection) for line in path.read_bytes().splitlines()]
    assert sorted(r.position.offset for r in written) == list(range(20))
    assert written[0].original == b"\x00\xff"


def test_a_write_is_repeated_until_it_succeeds() -> None:
    failures = iter([OSError("disk full"), None])
    calls: list[int] = []

    def write() -> None:
        calls.append(1)
        error = next(failures)
        if error:
            raise error

    until_done(write, sink="test")

    assert len(calls) == 2


def test_pauses_double_up_to_half_a_minute() -> None:
    waits = list(itertools.islice(pauses(jitter=lambda: 0.0), 10))

    assert waits[:4] == [0.2, 0.4, 0.8, 1.6]
    assert waits[-1] == 30.0


def test_a_rendition_is_stored_once_under_its_hash(tmp_path: Path) -> None:
    media = Media(sha256="ab" * 32, width=2, height=1, rendition=b"jpeg")

    store_rendition(tmp_path, media)
    store_rendition(tmp_path, media)

    assert [p.name for p in tmp_path.iterdir()] == [f"{'ab' * 32}.jpg"]


def test_a_write_that_a_full_disk_cuts_leaves_no_torn_line(tmp_path: Path) -> None:
    path, lines = tmp_path / "trends.jsonl", [b"x" * 700] * 3
    append_lines(path, lines[:1])
    with files_of_at_most(1_000), pytest.raises(OSError, match="large"):
        append_lines(path, lines[1:])
    append_lines(path, lines[1:])

    assert path.read_bytes().splitlines() == lines
