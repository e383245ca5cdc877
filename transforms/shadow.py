"""Beside the stage read: a second model reads a share of the posts, and disagreement is counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

import apache_beam as beam
from apache_beam.pvalue import PCollection

from models.following import Loading, OnePerProcess
from models.model_pointer import named_folder
from models.scorer import ScoreInput
from models.shadow import Compared, Disagreement, ShadowModel
from schemas.metrics import (
    SHADOW_DIFFERENCES,
    SHADOW_DIFFERING,
    SHADOW_POSTS,
    SHADOW_SKIPPED,
    Metric,
)
from schemas.records import Reading
from transforms.counters import counter

_MODELS: Final = OnePerProcess()


def is_chosen(reading: Reading, share: float) -> bool:
    """Whether the shadow reads this post too: by a hash of its identity, so always the same ones.

    A larger share holds all posts of a smaller one.
    """
    named = f"{reading.channel}\x1f{reading.post_id}".encode("utf-8", "surrogatepass")
    digest = blake2b(named, digest_size=8, person=b"shadow").digest()
    return int.from_bytes(digest, "big") < share * 2**64


def shadow_model(checkpoint: str, loading: Loading) -> ShadowModel:
    """The process's one second model of that path, loaded when it is first asked."""
    return _MODELS.get(
        (checkpoint, loading), lambda: ShadowModel(lambda: loading(named_folder(checkpoint)))
    )


def count_disagreement(found: Disagreement) -> None:
    """Add what was found to Moodwire's counters."""
    _add(found.posts, SHADOW_POSTS)
    _add(found.differing, SHADOW_DIFFERING)
    for output, millionths in found.differences.items():
        _add(millionths, SHADOW_DIFFERENCES, output=output)
    for cause, posts in found.skipped.items():
        _add(posts, SHADOW_SKIPPED, cause=cause)


def _add(number: int, metric: Metric, **labels: str) -> None:
    if number:
        counter(metric, **labels).inc(number)


class _Compare(beam.DoFn):
    """(ScoreInput, Reading) -> nothing; a bundle's chosen posts are compared at its end."""

    def __init__(self, checkpoint: str, loading: Loading, share: float, waits: bool) -> None:
        self.checkpoint, self.loading = checkpoint, loading
        self.share, self.waits = share, waits

    def setup(self) -> None:
        self.model = shadow_model(self.checkpoint, self.loading)

    def start_bundle(self) -> None:
        self.chosen: list[Compared] = []

    def process(self, pair: tuple[ScoreInput, Reading]) -> None:
        read, reading = pair
        if is_chosen(reading, self.share):
            self.chosen.append(Compared(read, reading))

    def finish_bundle(self) -> None:
        if self.waits:
            count_disagreement(self.model.compare(self.chosen))
        else:
            self.model.offer(self.chosen)
            count_disagreement(self.model.collect())


@dataclass
class CompareShadow(beam.PTransform):
    """What was read and its Reading in, counters out: how far a second model disagrees.

    It never fails. Unless it `waits` it reads aside at the lowest priority and skips posts rather
    than hold a bundle back; what it found is counted with later bundles, and what it still has in
    hand when a worker ends is not counted.

    Attributes:
        checkpoint: folder of the second model, or a file that names one.
        share: of the posts, chosen by their identity.
        loading: how a worker loads it.
        waits: compare every chosen post before its bundle ends: for input that nobody waits for.
    """

    checkpoint: str
    share: float = 0.1
    loading: Loading = field(default_factory=Loading)
    waits: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, pairs: PCollection[tuple[ScoreInput, Reading]]) -> PCollection[None]:
        """Compare bundle by bundle."""
        compare = _Compare(self.checkpoint, self.loading, self.share, self.waits)
        return pairs | "CompareMoods" >> beam.ParDo(compare)
