"""Stage: read. The model reads each post's emotion from its text and images together."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import apache_beam as beam
from apache_beam.pvalue import PCollection, TaggedOutput
from apache_beam.transforms.window import TimestampedValue

from models.following import FollowingScorer, Loading, Refused, follow
from models.scorer import ScoreInput, Scorer, Scores
from schemas.metrics import (
    MODEL_BATCHES,
    MODEL_MILLISECONDS,
    MODEL_REFUSALS,
    MODEL_REMEMBERED,
    MODEL_SWAPS,
    READINGS,
)
from schemas.records import Post, Reading
from transforms.counters import counter
from transforms.readings import make_reading, score_input
from transforms.shadow import CompareShadow

LOG = logging.getLogger(__name__)
MAX_BATCH_POSTS = 256
READ_PAIRS = "pairs"


def count_batch(scores: Sequence[Scores], seconds: float, remembered: int) -> None:
    """Count a batch that took so long, and the posts of it that were read before."""
    if scores:
        model = scores[0].model
        counter(MODEL_BATCHES, model=model).inc()
        counter(MODEL_MILLISECONDS, model=model).inc(round(seconds * 1000))
        counter(MODEL_REMEMBERED, model=model).inc(remembered)


def read_batch(
    posts: Sequence[Post], model: FollowingScorer | Scorer
) -> list[tuple[ScoreInput, Reading]]:
    """What the model saw of each post and made of it, in the order of `posts`."""
    inputs = [score_input(post) for post in posts]
    began = time.perf_counter()
    scores = model.score(inputs)
    count_batch(scores, time.perf_counter() - began, model.take_remembered())
    readings = [make_reading(post, found) for post, found in zip(posts, scores, strict=True)]
    return list(zip(inputs, readings, strict=True))


class _ReadBatches(beam.DoFn):
    """Batches of posts in, readings in event time out; one model reads a bundle to its end.

    With `tells_inputs` what the model saw goes with each reading to the output `READ_PAIRS` too.
    The model is one a process, whatever number of threads a runner calls it from.
    """

    def __init__(
        self, checkpoint: str, loading: Loading, refresh_seconds: float, tells_inputs: bool = False
    ) -> None:
        self.arguments = (checkpoint, loading, refresh_seconds)
        self.tells_inputs = tells_inputs

    def setup(self) -> None:
        self.model = follow(*self.arguments)

    def start_bundle(self) -> None:
        for event in self.model.pin():
            if isinstance(event, Refused):
                counter(MODEL_REFUSALS, cause=event.cause).inc()
                LOG.warning("the model in use goes on, another one is refused: %s", event.detail)
            else:
                counter(MODEL_SWAPS, model=event.model).inc()

    def process(self, element: list[Post]) -> Iterator[TimestampedValue | TaggedOutput]:
        for pair in read_batch(element, self.model):
            _, reading = pair
            counter(READINGS, channel=reading.channel, model=reading.model).inc()
            seconds = reading.created_at.timestamp()
            yield TimestampedValue(reading, seconds)
            if self.tells_inputs:
                yield TaggedOutput(READ_PAIRS, TimestampedValue(pair, seconds))

    def finish_bundle(self) -> None:
        self.model.unpin()


@dataclass
class Read(beam.PTransform):
    """Posts in, one reading each out, in event time; no shuffle on the way.

    A bundle is read by one model. Where `checkpoint` is a pointer file, another folder that it
    comes to name is loaded beside the old model and reads the bundles after that
    (docs/decisions/0037).

    Attributes:
        checkpoint: a checkpoint folder, or a file that names one.
        loading: with which threads, engine and precision a worker loads models.
        refresh_seconds: how often the file is looked at; 0 is never.
        shadow: a second model that reads some of the posts too, for comparison.
    """

    checkpoint: str
    loading: Loading = field(default_factory=Loading)
    refresh_seconds: float = 0.0
    shadow: CompareShadow | None = None

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, posts: PCollection[Post]) -> PCollection[Reading]:
        """Batch as far as one bundle goes, and read."""
        batches = posts | "BatchPosts" >> beam.BatchElements(
            min_batch_size=MAX_BATCH_POSTS, max_batch_size=MAX_BATCH_POSTS
        ).with_output_types(list[Post])
        reader = _ReadBatches(
            self.checkpoint,
            self.loading,
            self.refresh_seconds,
            tells_inputs=self.shadow is not None,
        )
        read = batches | "ReadBatches" >> beam.ParDo(reader).with_output_types(
            Reading, pairs=tuple[ScoreInput, Reading]
        ).with_outputs(READ_PAIRS, main="readings")
        if self.shadow is not None:
            _ = read[READ_PAIRS] | "CompareShadow" >> self.shadow
        return read["readings"]
