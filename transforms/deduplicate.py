"""Stage: deduplicate. A redelivered post changes nothing."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.coders import BytesCoder
from apache_beam.pvalue import PCollection, TaggedOutput
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec, TimerSpec, on_timer
from apache_beam.utils.timestamp import Timestamp

from schemas.metrics import DUPLICATES
from schemas.records import Delivery, Post
from transforms.counters import counter

DUPLICATE = "duplicates"
SHARDS = 1024
STEPS = 4  # a shard forgets in so many steps a horizon, not post by post
DIGEST_BYTES = 16
LATEST = 2**32 - 1
ENTRY = struct.Struct(f">{DIGEST_BYTES}sI")  # a digest, and the second after which it may go


def identity(post: Post) -> bytes:
    """What makes two deliveries the same post, channel and id, as a digest of 16 bytes."""
    named = f"{post.channel}\x1f{post.post_id}".encode("utf-8", "surrogatepass")
    return blake2b(named, digest_size=DIGEST_BYTES).digest()


def shard_of(digest: bytes) -> int:
    """The shard that remembers an identity: one of 1024, whatever the number of posts."""
    return int.from_bytes(digest[:4], "big") % SHARDS


def holds(seen: bytes, digest: bytes) -> bool:
    """Whether an identity is among the entries of a shard.

    >>> seen = ENTRY.pack(b"a" * 16, 7) + ENTRY.pack(b"b" * 16, 7)
    >>> holds(seen, b"b" * 16), holds(seen, b"c" * 16)
    (True, False)
    """
    at = seen.find(digest)
    while at >= 0 and at % ENTRY.size:  # across two entries: by chance, no identity
        at = seen.find(digest, at + 1)
    return at >= 0


def without_past(seen: bytes, now: int) -> bytes:
    """The entries that are needed after the second `now`."""
    return b"".join(ENTRY.pack(*entry) for entry in ENTRY.iter_unpack(seen) if entry[1] > now)


class Deduplicated(NamedTuple):
    """Posts seen for the first time, and those seen before."""

    posts: PCollection[tuple[Delivery, Post]]
    duplicates: PCollection[tuple[Delivery, Post]]


class _DropSeen(beam.DoFn):
    """Remembers the identities of a shard until event time has passed them by the horizon.

    The state is bytes that are searched as they are: Beam's cache need not measure objects, and a
    million identities take 20 MB wherever the runner keeps them.
    """

    SEEN = ReadModifyWriteStateSpec("seen", BytesCoder())
    EXPIRY = TimerSpec("expiry", TimeDomain.WATERMARK)

    def __init__(self, horizon_seconds: float) -> None:
        self.horizon_seconds = horizon_seconds

    def process(
        self,
        element: tuple[int, tuple[Delivery, Post]],
        state: Any = beam.DoFn.StateParam(SEEN),
        expiry: Any = beam.DoFn.TimerParam(EXPIRY),
    ) -> Iterator[tuple[Delivery, Post] | TaggedOutput]:
        _, (delivery, post) = element
        seen, digest = state.read() or b"", identity(post)
        if holds(seen, digest):
            counter(DUPLICATES, channel=post.channel).inc()
            yield TaggedOutput(DUPLICATE, (delivery, post))
            return
        # Of the post's own time: a source stamps those whose clock runs ahead with the watermark.
        until = min(math.ceil(post.created_at.timestamp() + self.horizon_seconds), LATEST)
        state.write(seen + ENTRY.pack(digest, until))
        if not seen:
            expiry.set(self._step_after(until))
        yield delivery, post

    @on_timer(EXPIRY)
    def expire(
        self,
        now: Any = beam.DoFn.TimestampParam,
        state: Any = beam.DoFn.StateParam(SEEN),
        expiry: Any = beam.DoFn.TimerParam(EXPIRY),
    ) -> None:
        """Forget what is past: whatever comes of it now is too late to be counted at all."""
        left = without_past(state.read() or b"", now.seconds())
        if not left:
            state.clear()
            return
        state.write(left)
        expiry.set(self._step_after(min(until for _, until in ENTRY.iter_unpack(left))))

    def _step_after(self, until: int) -> Timestamp:
        step = max(1, math.ceil(self.horizon_seconds / STEPS))
        return Timestamp((until // step + 1) * step)


@dataclass
class DropDuplicates(beam.PTransform):
    """Clean posts in; the first of each (channel, post id) leaves as a post, others apart.

    Exact for posts within `horizon_seconds` of the watermark; identities are forgotten some time
    after the watermark has passed their time by that much, so give at least the allowed lateness.
    Where two deliveries of one id differ, the one that arrives first counts. Identities live in
    1024 shards, 20 bytes each (docs/decisions/0013).
    """

    horizon_seconds: float

    def expand(self, posts: PCollection[tuple[Delivery, Post]]) -> Deduplicated:
        keyed = posts | "KeyByShard" >> beam.Map(
            lambda pair: (shard_of(identity(pair[1])), pair)
        ).with_output_types(tuple[int, tuple[Delivery, Post]])
        drop = beam.ParDo(_DropSeen(self.horizon_seconds)).with_output_types(
            tuple[Delivery, Post], duplicates=tuple[Delivery, Post]
        )
        outputs = keyed | "DropSeen" >> drop.with_outputs(DUPLICATE, main="posts")
        return Deduplicated(outputs["posts"], outputs[DUPLICATE])
