"""Stage: clean. Posts fit to be kept: readable, without personal data, brands matched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import apache_beam as beam
from apache_beam.pvalue import PCollection, TaggedOutput

from schemas.metrics import POSTS_CLEANED
from schemas.records import Delivery, Post, Rejection, SourcePost
from transforms.brands import Brand
from transforms.cleaner import Cleaner
from transforms.counters import counter
from transforms.privacy import check_key
from transforms.refusals import Refused
from transforms.rejections import REJECTIONS, reject


class Cleaned(NamedTuple):
    """Clean posts, and the dead letters of those that held nothing to read."""

    posts: PCollection[tuple[Delivery, Post]]
    rejections: PCollection[Rejection]


class _CleanPosts(beam.DoFn):
    """Builds the cleaner once per worker: the automaton of thousands of brands is large."""

    def __init__(self, brands: tuple[Brand, ...], author_key: bytes) -> None:
        self.brands = brands
        self.author_key = author_key

    def setup(self) -> None:
        self.cleaner = Cleaner(self.brands, self.author_key)

    def process(
        self, element: tuple[Delivery, SourcePost]
    ) -> Iterator[tuple[Delivery, Post] | TaggedOutput]:
        delivery, source = element
        try:
            post = self.cleaner.clean(delivery, source)
        except Refused as refused:
            yield TaggedOutput(REJECTIONS, reject(delivery, refused))
            return
        counter(POSTS_CLEANED, channel=post.channel).inc()
        yield delivery, post


@dataclass
class Clean(beam.PTransform):
    """Decoded posts in; each leaves once, clean or as a dead letter, its timestamp unchanged.

    Posts that name no brand pass too. Personal data and author ids do not leave this stage,
    except in the original bytes that travel beside each post for the dead letters.

    Raises:
        ValueError: `author_key` is too short to keep a secret.
    """

    brands: tuple[Brand, ...]
    author_key: bytes

    def __post_init__(self) -> None:
        check_key(self.author_key)

    def expand(self, posts: PCollection[tuple[Delivery, SourcePost]]) -> Cleaned:
        clean = beam.ParDo(_CleanPosts(self.brands, self.author_key)).with_output_types(
            tuple[Delivery, Post], rejections=Rejection
        )
        outputs = posts | "CleanPosts" >> clean.with_outputs(REJECTIONS, main="posts")
        return Cleaned(outputs["posts"], outputs[REJECTIONS])
