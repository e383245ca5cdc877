"""Decode, Clean, DropDuplicates and Validate as Beam runs them."""

import json
from pathlib import Path
from typing import Any

import apache_beam as beam
import msgspec
import pytest
from apache_beam.testing.test_pipeline import TestPipeline
from apache_beam.testing.test_stream import TestStream
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms.window import TimestampedValue

from schemas.records import Delivery, Position, Post, Rejection, SourcePost
from tests.builders import NOON, a_delivery, a_post, a_source_post, at
from transforms.brands import Brand
from transforms.clean import Clean
from transforms.decode import Decode
from transforms.deduplicate import (
    ENTRY,
    SHARDS,
    STEPS,
    DropDuplicates,
    holds,
    identity,
    shard_of,
    without_past,
)
from transforms.expectations import build_report, load_expectations
from transforms.prepare import Preparer
from transforms.refusals import Refused
from transforms.validate import Validate, validate

KEY = b"0123456789abcdef"
PAIR = tuple[Delivery, Post]


def counted(pipeline: beam.Pipeline) -> dict[str, int]:
    """Moodwire's counters after a run."""
    counters = pipeline.result.metrics().query()["counters"]
    ours = [c for c in counters if c.key.metric.namespace == "moodwire"]
    return {c.key.metric.name: c.committed for c in ours}


def stamped(pair: Any, time: Any = beam.DoFn.TimestampParam) -> tuple[str, float]:
    """The id of a post (or cause of a dead letter) and its timestamp after NOON."""
    name = pair.cause if isinstance(pair, Rejection) else pair[1].post_id
    return name, time.micros / 1e6 - NOON


def timed(pairs: list[tuple[Delivery, Post]]) -> list[TimestampedValue]:
    """Each pair at the time of its post."""
    return [TimestampedValue(pair, pair[1].created_at.timestamp()) for pair in pairs]


def a_pair(**changes: Any) -> tuple[Delivery, Post]:
    """A clean post with the delivery that it came in."""
    return a_delivery(), a_post(**changes)


def test_decode_sends_every_delivery_one_way() -> None:
    late = a_delivery({"post_id": "9"}, too_late=True, channel="x")
    broken = a_delivery(b'{"post', root="/data", attempts=2)
    rejections = [
        Rejection(
            original=late.value,
            position=Position("posts", 0, 7),
            stage="ingest",
            cause="too_late",
            detail="behind the watermark by more than the allowed lateness",
            channel="x",
        ),
        Rejection(
            original=b'{"post',
            position=Position("posts", 0, 7),
            stage="decode",
            cause="not_json",
            detail="Input data was truncated",
            root="/data",
            attempts=2,
        ),
    ]
    read = a_source_post(channel="generic", author_id="", lang=None)

    with TestPipeline(runner="FnApiRunner") as pipeline:
        deliveries = pipeline | beam.Create([a_delivery(), late, broken])
        decoded = deliveries | Decode()
        assert_that(decoded.posts, equal_to([(a_delivery(), read)]), label="posts")
        assert_that(decoded.rejections, equal_to(rejections), label="rejections")
    assert counted(pipeline) == {
        'moodwire_dead_letters_total{stage="ingest",cause="too_late"}': 1,
        'moodwire_dead_letters_total{stage="decode",cause="not_json"}': 1,
    }


def test_clean_sends_every_post_one_way() -> None:
    pairs = [(a_delivery(), a_source_post(text="Nova!")), (a_delivery(), a_source_post(text=" "))]

    with TestPipeline(runner="FnApiRunner") as pipeline:
        posts = pipeline | beam.Create(pairs).with_output_types(tuple[Delivery, SourcePost])
        cleaned = posts | Clean((Brand("Nova"),), KEY)
        assert_that(
            cleaned.posts | beam.Map(lambda p: p[1].brands), equal_to([("Nova",)]), label="p"
        )
        assert_that(
            cleaned.rejections | beam.Map(lambda r: (r.stage, r.cause)),
            equal_to([("clean", "empty")]),
        )
    assert counted(pipeline) == {
        'moodwire_posts_cleaned_total{channel="x"}': 1,
        'moodwire_dead_letters_total{stage="clean",cause="empty"}': 1,
    }  # fmt: skip


def test_clean_refuses_a_short_key_at_construction() -> None:
    with pytest.raises(ValueError, match=r"privacy\.author_key"):
        Clean((), b"short")


def test_a_redelivered_post_is_dropped_and_counted() -> None:
    pairs = [a_pair(), a_pair(post_id="2"), a_pair(), a_pair(channel="reddit"), a_pair()]

    with TestPipeline(runner="FnApiRunner") as pipeline:
        posts = pipeline | beam.Create(pairs).with_output_types(PAIR)
        unique = posts | DropDuplicates(3600)
        assert_that(unique.posts, equal_to([pairs[0], pairs[1], pairs[3]]), label="posts")
        assert_that(unique.duplicates, equal_to([a_pair(), a_pair()]), label="duplicates")
    assert counted(pipeline) == {'moodwire_duplicates_total{channel="x"}': 2}


def test_an_identity_is_forgotten_once_the_watermark_has_passed_the_horizon() -> None:
    first, again = timed([a_pair(), a_pair(created_at=at(5000))])
    stream = (
        TestStream()
        .advance_watermark_to(NOON)
        .add_elements([first])
        .advance_watermark_to(NOON + 3599)
        .add_elements([first])
        .advance_watermark_to(NOON + 3600 + 3600 / STEPS + 1)
        .add_elements([again])
        .advance_watermark_to_infinity()
    )

    with TestPipeline(runner="BundleBasedDirectRunner") as pipeline:
        unique = pipeline | stream.with_output_types(PAIR) | DropDuplicates(3600)
        assert_that(
            unique.posts | "P" >> beam.Map(stamped), equal_to([("1", 0), ("1", 5000)]), label="p"
        )
        assert_that(unique.duplicates | beam.Map(stamped), equal_to([("1", 0)]))  # fmt: skip


def test_a_post_ahead_of_the_watermark_is_remembered_by_its_own_time() -> None:
    ahead = a_pair(created_at=at(7200))
    (again,) = timed([ahead])
    stream = (
        TestStream()
        .advance_watermark_to(NOON)
        .add_elements([TimestampedValue(ahead, NOON)])  # as the Kafka source stamps it
        .advance_watermark_to(NOON + 7200)
        .add_elements([again])
        .advance_watermark_to_infinity()
    )

    with TestPipeline(runner="BundleBasedDirectRunner") as pipeline:
        unique = pipeline | stream.with_output_types(PAIR) | DropDuplicates(3600)
        assert_that(unique.posts | "P" >> beam.Map(stamped), equal_to([("1", 0)]), label="p")
        assert_that(unique.duplicates | beam.Map(stamped), equal_to([("1", 7200)]))


def test_identities_of_a_shard_are_told_apart() -> None:
    digests = [identity(a_post(post_id=str(number))) for number in range(2_000)]
    seen = b"".join(ENTRY.pack(digest, n) for n, digest in enumerate(digests[:1_000]))

    assert [holds(seen, digest) for digest in digests] == [True] * 1_000 + [False] * 1_000
    assert [holds(without_past(seen, 499), d) for d in digests[:1_000]] == [False] * 500 + [
        True
    ] * 500
    assert not holds(seen, (seen + seen)[10:26])  # lies across two entries
    assert len({shard_of(digest) for digest in digests}) > SHARDS / 2


def test_an_identity_is_channel_and_id() -> None:
    assert identity(a_post(channel="x", post_id="1")) == identity(a_post(channel="x", text="!"))
    assert identity(a_post(channel="x")) != identity(a_post(channel="reddit"))
    assert identity(a_post(post_id="\ud800"))  # no valid text, an identity all the same


def test_valid_posts_pass_at_their_own_time_and_others_become_dead_letters() -> None:
    pairs = [a_pair(), a_pair(post_id="2", created_at=at(60)), a_pair(reach=-1, created_at=at(90))]

    with TestPipeline(runner="FnApiRunner") as pipeline:
        validated = pipeline | beam.Create(timed(pairs)).with_output_types(PAIR) | Validate()
        assert_that(
            validated.posts | "P" >> beam.Map(stamped), equal_to([("1", 0), ("2", 60)]), label="p"
        )
        cause = "expect_column_values_to_be_between:reach"
        assert_that(validated.rejections | beam.Map(stamped), equal_to([(cause, 90)]))
    assert counted(pipeline) == {
        f'moodwire_dead_letters_total{{stage="validate",cause="{cause}"}}': 1,
        f'moodwire_expectation_failures_total{{expectation="{cause}"}}': 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"channel": "A b"}, "expect_column_values_to_match_regex:channel"),
        ({"post_id": ""}, "expect_column_value_lengths_to_be_between:post_id"),
        ({"created_at": at(-1e9)}, "expect_column_values_to_be_between:created_at_seconds"),
        ({"author": "jo_writes"}, "expect_column_values_to_match_regex:author"),
        ({"text": ""}, "expect_column_values_to_be_between:content_length"),
        ({"text": "mail jo@b.example"}, "expect_column_values_to_not_match_regex:text"),
        ({"text": "a\x07"}, "expect_column_values_to_not_match_regex:text"),
        ({"lang": "English"}, "expect_column_values_to_match_regex:lang"),
        ({"country": "de"}, "expect_column_values_to_match_regex:country"),
        ({"reach": 10**11}, "expect_column_values_to_be_between:reach"),
        ({"cluster_id": "x"}, "expect_column_values_to_match_regex:cluster_id"),
        ({"images": ("a.png",) * 101}, "expect_column_values_to_be_between:image_count"),
        ({"text": 5}, "contract"),
        ({"brands": "Nova"}, "contract"),
        ({"text": "\ud83d"}, "contract"),
    ],
)  # fmt: skip
def test_each_expectation_catches_the_post_it_is_for(changes: dict[str, Any], cause: str) -> None:
    posts = [a_post(), a_post(**({"text": "hi", "model_text": "hi"} | changes)), a_post()]

    before, verdict, after = validate(posts, load_expectations())
    assert before is None and after is None and verdict is not None
    assert (verdict.stage, verdict.cause) == ("validate", cause)


def a_suite(folder: Path, kind: str, **kwargs: Any) -> Path:
    path = folder / "suite.json"
    path.write_text(json.dumps({"name": "s", "expectations": [{"type": kind, "kwargs": kwargs}]}))
    return path


def test_an_expectation_may_tolerate_some_rows(tmp_path: Path) -> None:
    suite = a_suite(
        tmp_path, "expect_column_values_to_be_between", column="reach", min_value=0, mostly=0.5
    )

    expectations = load_expectations(suite)
    one, both = [a_post(), a_post(reach=-1)], [a_post(reach=-1), a_post(reach=-1)]
    assert expectations.failures(one) == {}
    assert expectations.failures(both).keys() == {0, 1}


@pytest.mark.parametrize(
    ("kind", "kwargs", "error"),
    [
        ("expect_table_row_count_to_equal", {"value": 3}, ValueError),  # would refuse no post
        ("expect_column_values_to_not_be_null", {"column": "mood"}, RuntimeError),
    ],
)
def test_a_suite_that_cannot_judge_posts_is_refused(
    kind: str, kwargs: dict[str, Any], error: type[Exception], tmp_path: Path
) -> None:
    with pytest.raises(error, match=kind):
        load_expectations(a_suite(tmp_path, kind, **kwargs)).failures([a_post()])


def test_every_expectation_of_the_suite_says_why_and_names_a_cause_of_its_own() -> None:
    suite = load_expectations().suite.expectations

    assert all((expectation.meta or {}).get("why") for expectation in suite)
    assert len({(e.configuration.type, e.configuration.kwargs["column"]) for e in suite}) == len(
        suite
    )


def test_a_report_shows_every_expectation_to_people(tmp_path: Path) -> None:
    build_report([a_post(), a_post(reach=-1)], tmp_path / "new" / "report.html")

    page = (tmp_path / "new" / "report.html").read_text()
    assert "<html" in page and "cluster_id" in page and "Failed" in page


def test_one_call_prepares_a_post_as_the_stages_do() -> None:
    preparer = Preparer((Brand("Nova"),), KEY, default_time=at(0))
    undated = msgspec.json.encode({"post_id": 1, "text": "Nova  phone", "author_id": 4711})

    post = preparer.prepare(a_delivery(undated, channel="x"))
    assert post.author == "3bacd77e300b198a"
    assert (post.created_at, post.text, post.brands) == (at(0), "Nova phone", ("Nova",))
    with pytest.raises(Refused, match="clean: empty"):
        preparer.prepare(a_delivery({"text": ""}))
    with pytest.raises(Refused, match="decode: not_json"):
        preparer.prepare(a_delivery(b"{"))
