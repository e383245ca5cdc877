"""Facts about ingest: every line once, in event time, late posts marked."""

import gzip
import json
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.testing.test_pipeline import TestPipeline
from apache_beam.testing.util import assert_that, equal_to

from schemas.records import Delivery, Position
from transforms.ingest import (
    Line,
    NoInputError,
    Pace,
    ReadFiles,
    deliver,
    find_files,
    read_lines,
    unwrap,
)

NOON = 1_781_784_000.0


def event_time(value: bytes, channel: str | None) -> float | None:
    """The `at` of a test line."""
    try:
        return float(json.loads(value)["at"])
    except (ValueError, KeyError):
        return None


def a_file(path: Path, offsets: list[float | None]) -> Path:
    """A JSON-lines file whose lines happened so many seconds after noon; None is a broken line."""
    lines = ["{broken" if at is None else json.dumps({"at": NOON + at}) for at in offsets]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_folder_is_read_in_name_order(tmp_path: Path) -> None:
    a_file(tmp_path / "b.jsonl", [1])
    with gzip.open(tmp_path / "a.jsonl.gz", "wb") as packed:
        packed.write(b"first\r\n\nthird\n")

    lines = list(read_lines(find_files(tmp_path)))

    assert [(Path(x.path).name, x.number) for x in lines] == [
        ("a.jsonl.gz", 0),
        ("a.jsonl.gz", 1),
        ("a.jsonl.gz", 2),
        ("b.jsonl", 0),
    ]
    assert [x.value for x in lines[:3]] == [b"first", b"", b"third"]


def test_no_input_names_the_key_and_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(NoInputError, match=r"source\.path.*Give a JSON-lines file"):
        find_files(tmp_path)


def test_an_envelope_is_unwrapped_to_its_payload() -> None:
    assert unwrap(b'{"channel":"x","payload":{"data": 1}}', None) == (b'{"data": 1}', "x")


def test_a_payload_that_is_a_string_is_its_text() -> None:
    assert unwrap(b'{"channel":"news","payload":"<item/>"}', None) == (b"<item/>", "news")


@pytest.mark.parametrize("line", [b'{"text":"payload"}', b"{broken payload", b'{"payload":1}', b""])
def test_any_other_line_stays_as_it_is(line: bytes) -> None:
    assert unwrap(line, "reddit") == (line, "reddit")


def test_media_paths_start_from_the_folder_of_the_file() -> None:
    delivery = deliver(Line("/data/posts.jsonl", 7, b"{}"), "x", event_time)

    assert delivery.root == "/data"
    assert delivery.position == Position("/data/posts.jsonl", 0, 7)


def test_event_time_runs_speed_times_as_fast_as_the_clock() -> None:
    pace = Pace(speed=60.0)

    waits = [pace.wait_seconds(NOON, 100.0), pace.wait_seconds(NOON + 120.0, 101.0)]

    assert waits == [0.0, 1.0]


@pytest.mark.parametrize("place", [0, 1])
def test_a_line_of_another_year_holds_nobody_up(place: int) -> None:
    year, pace = 365 * 86_400.0, Pace(speed=60.0)
    times = [NOON, NOON + 60.0, NOON + 120.0]
    for wrong in (NOON - 20 * year, NOON + year):
        times.insert(place, wrong)

    waits = [pace.wait_seconds(at, clock=5.0) for at in times]

    assert max(waits) == 2.0 - place
    assert min(waits) >= 0.0


def test_every_line_is_delivered_once_and_late_ones_are_marked(tmp_path: Path) -> None:
    path = a_file(tmp_path / "posts.jsonl", [0, 7200, None, 7199, 3500, 3541])
    expected = [(0, False), (1, False), (2, False), (3, False), (4, True), (5, False)]

    with TestPipeline(runner="FnApiRunner") as pipeline:
        deliveries = pipeline | ReadFiles(str(path), event_time, disorder_seconds=60)
        marks = deliveries | beam.Map(lambda d: (d.position.offset, d.too_late))

        assert_that(marks, equal_to(expected))


def test_more_lines_than_one_bundle_holds_are_all_read(tmp_path: Path) -> None:
    path = a_file(tmp_path / "posts.jsonl", [float(n) for n in range(1234)])

    with TestPipeline(runner="FnApiRunner") as pipeline:
        deliveries = pipeline | ReadFiles(str(path), event_time)
        offsets = deliveries | beam.Map(offset_of)

        assert_that(offsets, equal_to(list(range(1234))))


def offset_of(delivery: Delivery) -> int:
    """The line number of a delivery."""
    return delivery.position.offset
