"""Facts about topics in a pipeline: hours of event time, told as the watermark passes them."""

import random
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from schemas.records import Alert, Reading, Topic, decode, encode
from tests.builders import NOON, at, for_brand
from tests.stages import bounded, streamed
from tests.topics import BAGS, RULES, USUAL, about
from transforms.brands import Brand
from transforms.topic_hours import DRAWN
from transforms.topics import FollowTopics, by_hour, own_words

LIVE = "BundleBasedDirectRunner"
HOURS = [reading for hour in range(8) for reading in about(USUAL, hour, 24)]
STORY = sorted(
    [*HOURS, *about(BAGS, 4, 14, valence=-0.7), *about(BAGS, 5, 20, valence=-0.7)],
    key=lambda reading: reading.created_at,
)


def followed(
    source: Any, folder: Path, runner: str = "FnApiRunner", **changes: Any
) -> tuple[list[Topic], list[Alert]]:
    """Topics and alerts of a stage with an hour of lateness, in the order they came out."""
    files = folder / "topics", folder / "alerts"
    for file in files:
        file.write_bytes(b"")
    stage = FollowTopics(allowed_lateness_seconds=3600, rules=RULES, **changes)
    with beam.Pipeline(runner=runner, options=PipelineOptions([])) as pipeline:
        readings = pipeline | source | beam.Map(_same).with_output_types(Reading)
        found = (readings, readings) | "FollowTopics" >> stage
        for records, file in zip(found, files, strict=True):
            _ = records | f"Note{file.name}" >> beam.Map(_note, str(file))
    topics, alerts = (file.read_bytes().splitlines() for file in files)
    return [decode(line, Topic) for line in topics], [decode(line, Alert) for line in alerts]


def _same(reading: Any) -> Any:
    return reading


def _note(record: Any, path: str) -> None:
    with open(path, "ab") as file:
        file.write(encode(record) + b"\n")


def finals(found: tuple[list[Topic], list[Alert]]) -> tuple[list[bytes], list[bytes]]:
    topics, alerts = ([r for r in records if r.final] for records in found)
    return sorted(map(encode, topics)), sorted(map(encode, alerts))


def test_a_post_lies_in_the_hour_of_each_of_its_brands() -> None:
    (reading,) = about(USUAL, 1, 1, brands=("Nova", "Orion"))

    assert [key for key, _ in by_hour(reading)] == [("Nova", NOON + 3600), ("Orion", NOON + 3600)]


def test_every_name_of_a_brand_is_its_own_word() -> None:
    brand = Brand("Nova Air", ("Novair",), ("@flynova",), ("#novaworld",), ())

    assert own_words(brand) == {"nova", "air", "novair", "flynova", "novaworld"}


def test_history_tells_the_topics_of_each_hour_and_the_new_one(tmp_path: Path) -> None:
    topics, alerts = followed(bounded(STORY), tmp_path)
    final = [topic for topic in topics if topic.final]
    bags = [topic for topic in final if "luggage" in topic.terms]

    assert {t.window_start for t in final} == {at(3600 * hour) for hour in range(8)}
    assert [(t.window_start, t.posts, t.is_new) for t in sorted(bags, key=lambda t: t.key)] == [
        (at(4 * 3600), 14, True),
        (at(5 * 3600), 20, True),
    ]
    (alert,) = (alert for alert in alerts if alert.final)
    assert alert.kind == "new_topic" and alert.severity > 4
    assert alert.resolved_at == at(9 * 3600) and "luggage" in alert.title


@pytest.mark.parametrize("seed", [1, 2])
def test_any_order_and_any_pace_end_in_the_same_records(seed: int, tmp_path: Path) -> None:
    expected = finals(followed(bounded(STORY), tmp_path))
    late = random.Random(seed)
    jumbled = sorted(STORY, key=lambda r: r.created_at.timestamp() + late.uniform(0, 3000))

    live = followed(streamed(jumbled, delay=3600), tmp_path, LIVE)

    assert finals(live) == expected
    assert [a.status for a in live[1] if not a.final][:1] == ["firing"]


def test_it_is_told_when_the_hour_ends_and_not_only_at_the_end(tmp_path: Path) -> None:
    topics, alerts = followed(streamed(STORY), tmp_path, LIVE)
    on_time = [topic for topic in topics if not topic.final]

    assert {t.window_start for t in on_time} >= {at(3600 * hour) for hour in range(7)}
    assert [a.updated_at for a in alerts][:2] == [at(5 * 3600), at(6 * 3600)]


def test_brands_know_nothing_of_one_another(tmp_path: Path) -> None:
    both = [*STORY, *for_brand(HOURS, "Orion")]
    topics, alerts = followed(bounded(both), tmp_path)

    assert {alert.brand for alert in alerts} == {"Nova"}
    assert {topic.brand for topic in topics} == {"Nova", "Orion"}


def test_an_hour_of_more_posts_than_are_drawn_is_told_whole(tmp_path: Path) -> None:
    crowd = about(USUAL, 0, 2 * DRAWN + 300)
    found = followed(bounded(crowd), tmp_path)
    shuffled = [*crowd]
    random.Random(3).shuffle(shuffled)

    assert {topic.posts_of_hour for topic in found[0]} == {len(crowd)}
    assert abs(sum(topic.posts for topic in found[0] if topic.final) - len(crowd)) <= 5
    assert finals(followed(bounded(shuffled), tmp_path)) == finals(found)


def test_nothing_is_followed_where_topics_are_off(tmp_path: Path) -> None:
    assert followed(bounded(STORY), tmp_path, enabled=False) == ([], [])
