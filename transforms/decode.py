"""Stage: decode. What a channel delivered, as the post it describes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import apache_beam as beam
from apache_beam.pvalue import PCollection, TaggedOutput

from schemas.records import Delivery, Rejection, SourcePost
from transforms.channels.payload import Limits
from transforms.channels.registry import DEFAULT_LIMITS, read_source_post
from transforms.refusals import Refused
from transforms.rejections import REJECTIONS, reject

INGEST: Final = "ingest"


def decode(delivery: Delivery, limits: Limits = DEFAULT_LIMITS) -> SourcePost:
    """The post in `delivery`, unless it came after its window was closed for good.

    Raises:
        Refused: `too_late` (stage ingest), or why it could not be read (stage decode).
    """
    if delivery.too_late:
        raise Refused("too_late", "behind the watermark by more than the allowed lateness", INGEST)
    return read_source_post(delivery, limits)


class Decoded(NamedTuple):
    """Posts that could be read, and the dead letters of those that could not."""

    posts: PCollection[tuple[Delivery, SourcePost]]
    rejections: PCollection[Rejection]


@dataclass
class Decode(beam.PTransform):
    """Deliveries in; each leaves once, either read as a post or as a dead letter.

    Timestamps stay what the source gave. A delivery marked `too_late` becomes a dead letter of
    stage ingest.
    """

    limits: Limits = DEFAULT_LIMITS

    def expand(self, deliveries: PCollection[Delivery]) -> Decoded:
        read = beam.FlatMap(_decode_or_reject, self.limits).with_output_types(
            tuple[Delivery, SourcePost], rejections=Rejection
        )
        outputs = deliveries | "ReadPosts" >> read.with_outputs(REJECTIONS, main="posts")
        return Decoded(outputs["posts"], outputs[REJECTIONS])


def _decode_or_reject(
    delivery: Delivery, limits: Limits
) -> Iterator[tuple[Delivery, SourcePost] | TaggedOutput]:
    try:
        yield delivery, decode(delivery, limits)
    except Refused as refused:
        yield TaggedOutput(REJECTIONS, reject(delivery, refused))
