"""Stage: validate. The record contract first, then the expectation suite, per micro-batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import apache_beam as beam
from apache_beam.pvalue import PCollection, TaggedOutput
from apache_beam.transforms.window import TimestampedValue

from schemas.metrics import EXPECTATIONS
from schemas.records import Delivery, Post, Rejection
from transforms.contract import STAGE, check_contract
from transforms.counters import counter
from transforms.expectations import SUITE, PostExpectations, load_expectations
from transforms.refusals import Refused
from transforms.rejections import REJECTIONS, reject

BATCH: Final = 2_000  # most of what a batch costs is the same whatever its size

Pair = tuple[Delivery, Post]


def validate(posts: Sequence[Post], expectations: PostExpectations) -> list[Refused | None]:
    """For each post None, or why it is refused: its contract, or the first check that it fails.

    Every failed check of a row is counted, and named in the detail.
    """
    verdicts = [_break_of_contract(post) for post in posts]
    sound = [index for index, verdict in enumerate(verdicts) if verdict is None]
    failures = expectations.failures([posts[index] for index in sound])
    for row, causes in failures.items():
        for cause in causes:
            counter(EXPECTATIONS, expectation=cause).inc()
        verdicts[sound[row]] = Refused(causes[0], f"failed: {', '.join(causes)}", STAGE)
    return verdicts


class Validated(NamedTuple):
    """Posts that are what later stages expect, and the dead letters of the others."""

    posts: PCollection[tuple[Delivery, Post]]
    rejections: PCollection[Rejection]


class _ValidateBatch(beam.DoFn):
    """Batching forgets timestamps, so each post and dead letter gets its event time again."""

    def __init__(self, suite: Path) -> None:
        self.suite = suite

    def setup(self) -> None:
        self.expectations = load_expectations(self.suite)

    def process(self, element: list[Pair]) -> Iterator[TimestampedValue | TaggedOutput]:
        verdicts = validate([post for _, post in element], self.expectations)
        for (delivery, post), refused in zip(element, verdicts, strict=True):
            seconds = post.created_at.timestamp()
            if refused is None:
                yield TimestampedValue((delivery, post), seconds)
            else:
                letter = TimestampedValue(reject(delivery, refused), seconds)
                yield TaggedOutput(REJECTIONS, letter)


@dataclass
class Validate(beam.PTransform):
    """Clean posts in; each leaves once, as it was or as a dead letter of stage validate.

    Posts are checked together as far as one bundle holds them; none waits for a later bundle.
    Timestamps are event time. `suite` is a file of Great Expectations suite JSON.
    """

    suite: Path = SUITE

    def expand(self, posts: PCollection[tuple[Delivery, Post]]) -> Validated:
        batches = posts | "BatchPosts" >> beam.BatchElements(
            min_batch_size=BATCH, max_batch_size=BATCH
        ).with_output_types(list[tuple[Delivery, Post]])
        check = beam.ParDo(_ValidateBatch(self.suite)).with_output_types(
            tuple[Delivery, Post], rejections=Rejection
        )
        outputs = batches | "ValidateBatches" >> check.with_outputs(REJECTIONS, main="posts")
        return Validated(outputs["posts"], outputs[REJECTIONS])


def _break_of_contract(post: Post) -> Refused | None:
    try:
        check_contract(post)
    except Refused as refused:
        return refused
    return None
