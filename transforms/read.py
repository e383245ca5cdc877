"""Stage: read. The model reads each post's emotion from its text and images together."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
from apache_beam.ml.inference.base import ModelHandler, RunInference
from apache_beam.pvalue import PCollection
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


class MoodModelHandler(ModelHandler[Post, Reading, FollowingScorer]):
    """Loads the checkpoint once a process and reads posts in batches.

    `Scorer` gives each post the same scores in any company, so the batch size is a matter of speed
    alone. Its threads are shared by all that a runner calls it from.
    """

    def __init__(
        self, checkpoint: str, loading: Loading = Loading(), refresh_seconds: float = 0.0
    ) -> None:
        super().__init__(min_batch_size=MAX_BATCH_POSTS, max_batch_size=MAX_BATCH_POSTS)
        self._arguments = (checkpoint, loading, refresh_seconds)

    def load_model(self) -> FollowingScorer:
        """The process's scorer of the checkpoint, which follows it where it is a pointer."""
        return follow(*self._arguments)

    def run_inference(
        self,
        batch: Sequence[Post],
        model: FollowingScorer | Scorer,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterable[Reading]:
        """One reading a post, in the order of `batch`."""
        return [reading for _, reading in read_batch(batch, model)]

    def get_metrics_namespace(self) -> str:
        """Where RunInference puts its own batch and latency metrics."""
        return "moodwire_model"


class _PairingHandler(MoodModelHandler):
    """The same, and what the model saw goes along with each reading."""

    def run_inference(self, batch: Sequence[Post], model: Any, inference_args: Any = None) -> Any:
        return read_batch(batch, model)


class _PinModel(beam.DoFn):
    """Posts pass; the bundle they are in is read by one model to its end."""

    def __init__(self, handler: MoodModelHandler) -> None:
        self.handler = handler

    def setup(self) -> None:
        self.model = self.handler.load_model()

    def start_bundle(self) -> None:
        for event in self.model.pin():
            if isinstance(event, Refused):
                counter(MODEL_REFUSALS, cause=event.cause).inc()
                LOG.warning("the model in use goes on, another one is refused: %s", event.detail)
            else:
                counter(MODEL_SWAPS, model=event.model).inc()

    def process(self, post: Post) -> Iterator[Post]:
        yield post


class _StampAndRelease(beam.DoFn):
    """Readings in event time again, which batching forgets; the bundle's model is let go."""

    def __init__(self, handler: MoodModelHandler) -> None:
        self.handler = handler

    def setup(self) -> None:
        self.model = self.handler.load_model()

    def process(self, reading: Reading) -> Iterator[TimestampedValue]:
        counter(READINGS, channel=reading.channel, model=reading.model).inc()
        yield TimestampedValue(reading, reading.created_at.timestamp())

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
        """Pin a model, run it in batches and put event time back."""
        arguments = (self.checkpoint, self.loading, self.refresh_seconds)
        handler = MoodModelHandler(*arguments)
        pinned = posts | "PinModel" >> beam.ParDo(_PinModel(handler)).with_output_types(Post)
        if self.shadow is None:
            read = pinned | "ScoreBatches" >> RunInference(handler)
        else:
            pairs = pinned | "ScoreBatches" >> RunInference(_PairingHandler(*arguments))
            pairs | "CompareShadow" >> self.shadow
            read = pairs | "TakeReadings" >> beam.Values()
        return read | "StampEventTime" >> beam.ParDo(_StampAndRelease(handler)).with_output_types(
            Reading
        )
