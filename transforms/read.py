"""Stage: read. The model reads each post's emotion from its text and images together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.ml.inference.base import ModelHandler, RunInference
from apache_beam.pvalue import PCollection
from apache_beam.transforms.window import TimestampedValue

from models.scorer import ScoreInput, Scorer, Scores
from schemas.metrics import READINGS
from schemas.records import Post, Reading, Weights
from transforms.counters import counter

MAX_BATCH_POSTS = 256
# Runners call from many threads; torch would give each its own pool and they would fight for cores.
_MODEL_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")


def score_input(post: Post) -> ScoreInput:
    """What the model sees of a post: its prepared text and its renditions."""
    return ScoreInput(text=post.model_text, images=tuple(m.rendition for m in post.media))


def make_reading(post: Post, scores: Scores) -> Reading:
    """The reading of `post`: what was said, by whom, and how it feels."""
    return Reading(
        channel=post.channel,
        post_id=post.post_id,
        created_at=post.created_at,
        author=post.author,
        text=post.text,
        lang=post.lang,
        country=post.country,
        reach=post.reach,
        is_repost=post.is_repost,
        permalink=post.permalink,
        brands=post.brands,
        cluster_id=post.cluster_id,
        sentiment=scores.sentiment,
        emotions=scores.emotions,
        irony=scores.irony,
        offence=scores.offence,
        valence=scores.valence,
        confidence=scores.confidence,
        abstained=scores.abstained,
        weights=Weights(scores.alpha_text, scores.alpha_image),
        mismatch=scores.mismatch,
        model=scores.model,
        thumbnails=tuple(m.sha256 for m in post.media),
        media_faults=post.media_faults,
    )


class MoodModelHandler(ModelHandler[Post, Reading, Scorer]):
    """Loads the checkpoint once a process and reads posts in batches.

    `Scorer` sorts a batch by length and gives each post the same scores in any company, so the
    batch size is a matter of speed alone.
    """

    def __init__(self, checkpoint: str, threads: int | None = None) -> None:
        super().__init__(min_batch_size=MAX_BATCH_POSTS, max_batch_size=MAX_BATCH_POSTS)
        self._checkpoint = checkpoint
        self._threads = threads

    def load_model(self) -> Scorer:
        """The scorer of the checkpoint folder."""
        return Scorer.load(self._checkpoint, threads=self._threads)

    def run_inference(
        self,
        batch: Sequence[Post],
        model: Scorer,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterable[Reading]:
        """One reading a post, in the order of `batch`."""
        inputs = [score_input(post) for post in batch]
        scores = _MODEL_THREAD.submit(model.score, inputs).result()
        return [make_reading(post, found) for post, found in zip(batch, scores, strict=True)]

    def get_metrics_namespace(self) -> str:
        """Where RunInference puts its own batch and latency metrics."""
        return "moodwire_model"


def _stamp(reading: Reading) -> Iterator[TimestampedValue]:
    """Event time again: batching forgets it."""
    counter(READINGS, channel=reading.channel, model=reading.model).inc()
    yield TimestampedValue(reading, reading.created_at.timestamp())


@dataclass
class Read(beam.PTransform):
    """Posts in, one reading each out, in event time; no shuffle on the way."""

    checkpoint: str
    threads: int | None = None

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, posts: PCollection[Post]) -> PCollection[Reading]:
        """Run the model in batches and put event time back."""
        handler = MoodModelHandler(self.checkpoint, self.threads)
        return (
            posts
            | "ScoreBatches" >> RunInference(handler)
            | "StampEventTime" >> beam.FlatMap(_stamp).with_output_types(Reading)
        )
