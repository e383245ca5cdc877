"""Stage: deduplicate. A redelivered post changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.coders import BooleanCoder
from apache_beam.pvalue import PCollection, TaggedOutput
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec, TimerSpec, on_timer

from schemas.metrics import DUPLICATES
from schemas.records import Delivery, Post
from transforms.counters import counter

DUPLICATE = "duplicates"


def identity(post: Post) -> str:
    """What makes two deliveries the same post: channel and id."""
    return f"{post.channel}\x1f{post.post_id}"


class Deduplicated(NamedTuple):
    """Posts seen for the first time, and those seen before."""

    posts: PCollection[tuple[Delivery, Post]]
    duplicates: PCollection[tuple[Delivery, Post]]


class _DropSeen(beam.DoFn):
    """Remembers an identity until event time has passed it by the horizon."""

    SEEN = ReadModifyWriteStateSpec("seen", BooleanCoder())
    EXPIRY = TimerSpec("expiry", TimeDomain.WATERMARK)

    def __init__(self, horizon_seconds: float) -> None:
        self.horizon_seconds = horizon_seconds

    def process(
        self,
        element: tuple[str, tuple[Delivery, Post]],
        timestamp: Any = beam.DoFn.TimestampParam,
        seen: Any = beam.DoFn.StateParam(SEEN),
        expiry: Any = beam.DoFn.TimerParam(EXPIRY),
    ) -> Iterator[tuple[Delivery, Post] | TaggedOutput]:
        _, (delivery, post) = element
        if seen.read():
            counter(DUPLICATES, channel=post.channel).inc()
            yield TaggedOutput(DUPLICATE, (delivery, post))
            return
        seen.write(True)
        expiry.set(timestamp + self.horizon_seconds)
        yield delivery, post

    @on_timer(EXPIRY)
    def expire(self, seen: Any = beam.DoFn.StateParam(SEEN)) -> None:
        """Forget the identity: whatever comes now is too late to be counted at all."""
        seen.clear()


@dataclass
class DropDuplicates(beam.PTransform):
    """Clean posts in; the first of each (channel, post id) leaves as a post, others apart.

    Exact for posts within `horizon_seconds` of the watermark; the state of an identity goes when
    the watermark passes its time by that much, so give at least the allowed lateness. Where two
    deliveries of one id differ, the one that arrives first counts.
    """

    horizon_seconds: float

    def expand(self, posts: PCollection[tuple[Delivery, Post]]) -> Deduplicated:
        keyed = posts | "KeyByIdentity" >> beam.Map(
            lambda pair: (identity(pair[1]), pair)
        ).with_output_types(tuple[str, tuple[Delivery, Post]])
        drop = beam.ParDo(_DropSeen(self.horizon_seconds)).with_output_types(
            tuple[Delivery, Post], duplicates=tuple[Delivery, Post]
        )
        outputs = keyed | "DropSeen" >> drop.with_outputs(DUPLICATE, main="posts")
        return Deduplicated(outputs["posts"], outputs[DUPLICATE])
