"""What one reading adds to a trend: its numbers as integers, sent once to each slice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec

from models.detection.statistics import micro
from models.detection.terms import terms_of
from models.text_preparation import MODEL_CHARACTERS
from schemas.emotions import group_probabilities, leading_emotion
from schemas.records import SENTIMENTS, Exemplar, Reading, Slice

# A single account with 300 million followers would drown every other voice, and sums of
# millionths times reach must stay below 2**63.
MAX_REACH = 10_000_000

Key = tuple[str, str, str, str]  # brand, channel, lang, country


class Sample(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """One reading as a trend needs it; numbers in millionths.

    `exemplar` and `terms` travel only to the slice of all posts, the only one that shows them.
    `priority` is a hash of the post's identity: the posts with the lowest form a uniform sample.
    """

    author: str
    cluster: str
    model: str
    reach: int
    abstained: bool
    negative: bool
    valence: int
    mood: tuple[int, ...]
    has_image: bool
    image_weight: int
    priority: int = 0
    exemplar: Exemplar | None = None
    terms: tuple[str, ...] = ()


def sample_of(reading: Reading) -> Sample:
    """The numbers of one reading without what only the slice of all posts shows."""
    identity = f"{reading.channel}\x1f{reading.post_id}"
    return Sample(
        author=reading.author,
        cluster=reading.cluster_id or identity,
        model=reading.model,
        reach=max(0, min(reading.reach, MAX_REACH)),
        abstained=reading.abstained,
        negative=_leading_sentiment(reading) == "negative",
        valence=micro(reading.valence),
        mood=tuple(micro(p) for p in group_probabilities(reading.emotions)),
        has_image=bool(reading.thumbnails),
        image_weight=micro(reading.weights.image) if reading.thumbnails else 0,
    )


def with_detail(sample: Sample, reading: Reading) -> Sample:
    """`sample` with its exemplar and terms."""
    identity = f"{reading.channel}\x1f{reading.post_id}".encode()
    digest = hashlib.blake2b(identity, digest_size=7).digest()
    return msgspec.structs.replace(
        sample,
        priority=int.from_bytes(digest, "big"),
        exemplar=exemplar_of(reading),
        terms=terms_of(reading.text),
    )


def exemplar_of(reading: Reading) -> Exemplar:
    """The part of a reading that a person looks at."""
    return Exemplar(
        channel=reading.channel,
        post_id=reading.post_id,
        created_at=reading.created_at,
        # A trend holds six posts and must fit into a message of Kafka, 1 MiB.
        text=reading.text[:MODEL_CHARACTERS],
        valence=reading.valence,
        emotion=leading_emotion(reading.emotions),
        reach=reading.reach,
        weights=reading.weights,
        permalink=reading.permalink,
        thumbnail=reading.thumbnails[0] if reading.thumbnails else None,
    )


def samples_by_key(reading: Reading, dimensions: tuple[str, ...]) -> Iterator[tuple[Key, Sample]]:
    """One sample for each brand of a reading, for all posts and for its slice of each dimension."""
    light = sample_of(reading)
    full = with_detail(light, reading)
    for brand in dict.fromkeys(reading.brands):
        yield (brand, "*", "*", "*"), full
        for dimension in dimensions:
            part = Slice(**{dimension: getattr(reading, dimension)})
            yield (brand, part.channel, part.lang, part.country), light


def _leading_sentiment(reading: Reading) -> str:
    return min(SENTIMENTS, key=lambda s: (-reading.sentiment[s], SENTIMENTS.index(s)))
