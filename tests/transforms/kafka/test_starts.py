"""Facts about where reading may start and stop."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, timedelta
from typing import Any

import apache_beam as beam
import pytest

from pipelines.settings import SettingsError, parse_settings
from transforms.kafka.cluster import Cluster, KafkaSettingsError
from transforms.kafka.source import ReadFromKafka
from transforms.kafka.starts import check_stop_has_passed, parse_start, parse_stop, pick_offsets

MORNING = datetime(2026, 11, 1, 8, tzinfo=UTC)
FIRST = {("posts", 0): 5, ("posts", 1): 0}
LAST = {("posts", 0): 10, ("posts", 1): 4}


def a_source(**options: Any) -> ReadFromKafka:
    return ReadFromKafka(Cluster("127.0.0.1:1"), **({"topics": ("posts",)} | options))


@pytest.mark.parametrize("text", ["2026-11-01T08:00:00Z", "2026-11-01T09:00+01:00", MORNING])
def test_a_time_is_read_with_its_zone(text: Any) -> None:
    assert parse_start(text, "start") == parse_stop(text, "stop") == MORNING


@pytest.mark.parametrize(
    "value", ["newest", "2026-11-01T08:00:00", datetime(2026, 11, 1), date(2026, 11, 1), 5, True]
)
def test_what_is_no_start_is_refused_with_all_that_would_be(value: Any) -> None:
    with pytest.raises(
        KafkaSettingsError, match=r"the\.key: .* is none of committed, .*zone.*\{posts"
    ):
        parse_start(value, "the.key")


@pytest.mark.parametrize(
    "offsets", [{"posts": 5}, {"posts": {"0": 5}}, {"posts": {0: -1}}, {1: {0: 5}}]
)
def test_offsets_that_are_none_are_refused(offsets: Any) -> None:
    with pytest.raises(KafkaSettingsError, match=r"stop: .*offsets such as"):
        parse_stop(offsets, "stop")


def test_offsets_must_name_exactly_the_partitions_that_are_read() -> None:
    assert pick_offsets({"posts": {0: 10, 1: 0}}, FIRST, LAST, "start") == {
        ("posts", 0): 10,
        ("posts", 1): 0,
    }
    with pytest.raises(KafkaSettingsError, match="start: partition posts/1 has no offset"):
        pick_offsets({"posts": {0: 5}}, FIRST, LAST, "start")
    with pytest.raises(KafkaSettingsError, match="start: partition posts/2 is not read"):
        pick_offsets({"posts": {0: 5, 1: 0, 2: 0}}, FIRST, LAST, "start")


def test_offset_out_of_range_is_refused_with_the_range() -> None:
    for offset in (4, 11):
        with pytest.raises(KafkaSettingsError, match=rf"stop: posts/0 .*5 to 10, {offset} is out"):
            pick_offsets({"posts": {0: offset, 1: 0}}, FIRST, LAST, "stop")


def test_stop_that_lies_ahead_is_refused() -> None:
    check_stop_has_passed(MORNING, MORNING, "stop")
    with pytest.raises(KafkaSettingsError, match=r"stop: 2026-11-01T08:00:00.* lies ahead"):
        check_stop_has_passed(MORNING, MORNING - timedelta(seconds=1), "stop")


@pytest.mark.parametrize(
    ("options", "setting"),
    [
        ({"topics": ()}, "topics"),
        ({"topic_pattern": "posts-("}, "topic_pattern"),
        ({"start": "newest"}, "start"),
        ({"stop": "latest"}, "stop"),
        ({"stop": datetime.now(UTC) + timedelta(days=1)}, "stop"),
    ],
)
def test_source_that_cannot_be_is_refused_by_the_name_of_its_setting(
    options: dict[str, Any], setting: str
) -> None:
    with pytest.raises(KafkaSettingsError, match=rf"source\.kafka\.{setting}: "):
        a_source(**options)


def test_settings_of_a_source_travel_to_workers() -> None:
    reading = a_source(start="2026-11-01T08:00:00Z", stop={"posts": {0: 5}}).reading

    assert pickle.loads(pickle.dumps(reading)) == reading
    assert reading.start == MORNING


@pytest.mark.parametrize(
    ("readers", "steps"),
    [(1, {"Start", "ReadPartitions"}), (3, {"Start", "NumberReaders", "SpreadReaders"})],
)
def test_one_reader_needs_no_shuffle(readers: int, steps: set[str]) -> None:
    pipeline = beam.Pipeline()
    pipeline | "Read" >> a_source(readers=readers)

    labels = {label.split("/")[1] for label in pipeline.applied_labels if "/" in label}
    assert labels == steps | {"ReadPartitions"}


@pytest.mark.parametrize("start", ["2026-11-01T08:00:00Z", "'2026-11-01T08:00Z'", "latest"])
def test_settings_file_takes_words_times_and_offsets(start: str) -> None:
    text = f"source: {{kafka: {{start: {start}, stop: {{posts: {{0: 12, 1: 7}}}}}}}}"
    kafka = parse_settings(text, {}).source.kafka

    assert kafka is not None
    assert parse_start(kafka.start, "start") in (MORNING, "latest")
    assert kafka.stop == {"posts": {0: 12, 1: 7}}


@pytest.mark.parametrize("key", ["start", "stop"])
@pytest.mark.parametrize("value", ["yesterday", "2026-11-01", "{posts: 5}"])
def test_settings_file_names_the_key_that_is_wrong(key: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"^source\.kafka\.{key}: "):
        parse_settings(f"source: {{kafka: {{{key}: {value}}}}}", {})
