"""Facts about drift in a pipeline: an hour of event time, told as the watermark passes."""

import random
import tempfile
from pathlib import Path
from typing import Any

import apache_beam as beam
import msgspec
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from models.drift import Drift, Population, reference_of, write_reference
from models.model_pointer import point_at
from pipelines.run import _values
from schemas.records import Reading
from tests.builders import NOON, a_reading, a_stream, angry, at, calm
from tests.stages import bounded, streamed
from transforms.drift import MOST_HOURS, Hour, HourTold, Pane, References, WatchDrift, set_gauges

HOUR, PANE = 3600, 300
HISTORY = a_stream(2 * HOUR, 10, seed=9)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "first"
    folder.mkdir()
    write_reference(folder, reference_of(HISTORY))
    return folder


def told(source: Any, checkpoint: Path, runner: str = "FnApiRunner") -> list[HourTold]:
    """What is told of the readings of `source`, in the order it came out."""
    with tempfile.NamedTemporaryFile() as file:
        with beam.Pipeline(runner=runner, options=PipelineOptions([])) as pipeline:
            readings = pipeline | source | beam.Map(_same).with_output_types(Reading)
            hours = (readings, readings) | "WatchDrift" >> WatchDrift(str(checkpoint))
            _ = hours | "Note" >> beam.Map(_note, file.name)
        lines = Path(file.name).read_bytes().splitlines()
    return [msgspec.json.decode(line, type=HourTold) for line in lines]


def _same(reading: Any) -> Any:
    return reading


def _note(hour: HourTold, path: str) -> None:
    with open(path, "ab") as file:
        file.write(msgspec.json.encode(hour) + b"\n")


def psi(hour: HourTold) -> dict[str, float]:
    return {drift.statistic: drift.psi for drift in hour.drifts}


def test_the_same_kind_of_hour_is_silent(checkpoint: Path) -> None:
    posts = a_stream(HOUR, 10, seed=2)

    *_, last = told(bounded(posts), checkpoint)

    assert (last.model, last.end, last.posts) == ("test", NOON + HOUR, len(posts))
    assert len(last.drifts) == 33  # no post here has both text and image
    assert max(psi(last).values()) < 0.1


def test_an_hour_is_told_pane_by_pane_and_what_is_longer_ago_is_forgotten(
    checkpoint: Path,
) -> None:
    past = a_stream(HOUR, 10, angry, seed=2)
    now = a_stream(HOUR, 10, calm, start=HOUR, seed=3)

    hours = told(bounded(past + now), checkpoint)

    assert [hour.end for hour in hours] == list(range(NOON + PANE, NOON + 2 * HOUR + 1, PANE))
    assert psi(hours[11])["valence"] > 0.2 and psi(hours[11])["emotion_anger"] > 0.2
    assert psi(hours[11])["emotion_joy"] < 0.1
    assert psi(hours[-1])["valence"] < 0.1 and hours[-1].posts == len(now)


def test_a_disordered_stream_comes_to_the_same(checkpoint: Path) -> None:
    history = a_stream(HOUR / 3, 10, seed=4)
    rng = random.Random(5)
    late = sorted(history, key=lambda r: r.created_at.timestamp() + rng.uniform(0, 200))

    in_order = told(bounded(history), checkpoint)

    assert len(in_order) == 4
    assert told(streamed(late, delay=201), checkpoint, "BundleBasedDirectRunner") == in_order


def test_a_model_without_a_reference_is_not_watched(checkpoint: Path, tmp_path: Path) -> None:
    unknown = [msgspec.structs.replace(r, model="other") for r in a_stream(PANE, 10)]

    assert told(bounded(unknown), checkpoint) == []
    assert told(bounded(a_stream(PANE, 10)), tmp_path) == []


def test_gauges_say_what_was_told_in_millionths(checkpoint: Path) -> None:
    hour = HourTold("test", NOON, 500, (Drift("valence", 0.25, 0.125),))
    pipeline = beam.Pipeline(runner="FnApiRunner", options=PipelineOptions([]))
    _ = pipeline | beam.Create([hour]) | beam.Map(set_gauges)
    result = pipeline.run()
    result.wait_until_finish()

    labels = 'model="test",statistic="valence",measure='
    assert _values(result.metrics().query()["gauges"]) == {
        'moodwire_drift_posts{model="test"}': 500,
        f'moodwire_drift_millionths{{{labels}"psi"}}': 250_000,
        f'moodwire_drift_millionths{{{labels}"js"}}': 125_000,
    }


def test_late_posts_count_while_their_pane_is_within_the_hour() -> None:
    hour, one = Hour(), Population(rows=1)
    for start in (NOON, NOON + HOUR - PANE):
        hour.learn_one(Pane(start, one), PANE, HOUR)
    first = hour.close(NOON + HOUR, PANE, HOUR)
    hour.learn_one(Pane(NOON, one), PANE, HOUR)
    hour.learn_one(Pane(NOON - PANE, one), PANE, HOUR)  # left the hour

    again = hour.close(NOON + HOUR, PANE, HOUR)

    assert (first.rows, again.rows) == (2, 3)
    assert hour.next_end(PANE) is None


def test_state_stays_bounded() -> None:
    hour = Hour()
    for start in range(NOON, NOON + 24 * HOUR, PANE):
        hour.learn_one(Pane(start, Population(rows=1)), PANE, HOUR)
        hour.close(start + PANE, PANE, HOUR)

    assert len(hour.panes) == HOUR // PANE


def test_history_costs_by_its_posts_and_not_by_the_time_that_it_spans(checkpoint: Path) -> None:
    """A bounded input is told once all of it was read: three years of it must not pile up."""
    day = 24 * HOUR
    past = [a_reading(created_at=at(-n * day), model="test") for n in range(1, 3 * 365)]
    last_hour = a_stream(HOUR, 10, seed=2)

    hours = told(bounded([*reversed(past), *last_hour]), checkpoint)

    assert len(hours) <= MOST_HOURS * HOUR // PANE
    assert hours[-1] == told(bounded(last_hour), checkpoint)[-1]


def test_hours_of_what_was_left_out_are_not_told_in_part() -> None:
    hour, one = Hour(), Population(rows=1)
    for start in range(NOON, NOON + 24 * HOUR, PANE):
        hour.learn_one(Pane(start, one), PANE, HOUR)
    kept = len(hour.panes)
    told = []
    while (due := hour.next_end(PANE)) is not None:
        told.append((due, hour.close(due, PANE, HOUR).rows))

    assert kept == MOST_HOURS * HOUR // PANE
    assert {rows for _, rows in told} == {HOUR // PANE}
    assert told[0][0] == NOON + (24 - MOST_HOURS + 1) * HOUR and told[-1][0] == NOON + 24 * HOUR


def test_one_post_from_the_future_silences_nothing() -> None:
    hour, one = Hour(), Population(rows=1)
    hour.learn_one(Pane(NOON + 20 * HOUR, one), PANE, HOUR)
    ends = []
    for start in range(NOON, NOON + 6 * HOUR, PANE):
        hour.learn_one(Pane(start, one), PANE, HOUR)
        ends.append(hour.next_end(PANE))
        hour.close(start + PANE, PANE, HOUR)

    assert ends == [start + PANE for start in range(NOON, NOON + 6 * HOUR, PANE)]


def test_references_of_earlier_models_are_still_found(checkpoint: Path, tmp_path: Path) -> None:
    newer = tmp_path / "second"
    newer.mkdir()
    write_reference(newer, reference_of([a_reading(model="newer")]))
    pointer = tmp_path / "current"
    point_at(pointer, checkpoint)
    point_at(pointer, newer)
    references = References(str(pointer))

    assert [references.find(m) is not None for m in ("test", "newer", "none")] == [
        True,
        True,
        False,
    ]


def test_a_reference_that_comes_later_is_found_without_a_look_at_each_post(
    checkpoint: Path, tmp_path: Path
) -> None:
    now = 0.0
    references = References(str(tmp_path), lambda: now)
    before = references.find("test")
    write_reference(tmp_path, reference_of(HISTORY))
    soon = references.find("test")
    now = 61.0

    assert (before, soon) == (None, None)
    assert references.find("test") is not None
