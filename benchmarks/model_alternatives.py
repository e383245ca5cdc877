"""Ways to read the same posts, each measured in a process of its own.

`python -m benchmarks.model_alternatives NAME POSTS.pickle` prints its measurement as JSON.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.memory import megabytes
from benchmarks.moments import MOMENTS, noted
from models.checkpoint import DEFAULT_CHECKPOINT
from models.scorer import ScoreInput, Scorer

Posts = list[ScoreInput]
Read = Callable[[Posts], None]  # reads all of them


def transformers_and_timm(_: Posts) -> Read:
    """A transformers pipeline and a timm model, batches of 32, as their quick starts show them.

    Both have the shipped encoders and three logits; the probabilities would be averaged.
    """
    import timm
    import torch
    from transformers import BertForSequenceClassification, PreTrainedTokenizerFast, pipeline

    from models.checkpoint import load_checkpoint
    from models.images import to_pixels

    shipped = load_checkpoint(DEFAULT_CHECKPOINT)
    config: Any = shipped.text_encoder.backbone.config
    config.num_labels = 3
    classifier = BertForSequenceClassification(config)
    encoder: Any = shipped.text_encoder.backbone
    classifier.bert.load_state_dict(encoder.state_dict(), strict=False)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(DEFAULT_CHECKPOINT / "tokenizer.json"), pad_token="[PAD]"
    )
    text = pipeline("text-classification", model=classifier.eval(), tokenizer=tokenizer)
    image = timm.create_model("mobilenetv2_100", pretrained=False, num_classes=3).eval()

    def read(posts: Posts) -> None:
        text([post.text for post in posts], batch_size=32, truncation=True, max_length=128)
        renditions = [image for post in posts for image in post.images]
        with torch.inference_mode():
            for start in range(0, len(renditions), 32):
                pixels = [to_pixels(one) for one in renditions[start : start + 32]]
                stacked = torch.stack([torch.from_numpy(one.copy()) for one in pixels])
                image(stacked.permute(0, 3, 1, 2).float() / 127.5 - 1)

    return read


def beam_and_torch(posts: Posts) -> Read:
    """Beam's RunInference with its torch handler; texts padded to the longest, as it must have."""
    import apache_beam as beam
    import torch
    from apache_beam.ml.inference.base import RunInference
    from apache_beam.ml.inference.pytorch_inference import PytorchModelHandlerKeyedTensor

    from benchmarks.whole_model import TextModel, WholeModel
    from models.checkpoint import describe_checkpoint
    from models.images import to_pixels

    tokenizer = describe_checkpoint(DEFAULT_CHECKPOINT).tokenizer  # all that elements need
    longest = max(len(row) for row in tokenizer([post.text for post in posts]))
    folder = Path(tempfile.mkdtemp())
    torch.save(WholeModel().state_dict(), folder / "whole.pt")
    torch.save(TextModel().state_dict(), folder / "text.pt")

    def tensors(post: ScoreInput) -> dict[str, Any]:
        (ids,) = tokenizer([post.text])
        padding = [0] * (longest - len(ids))
        found = {
            "ids": torch.tensor(ids + padding),
            "mask": torch.tensor([True] * len(ids) + [False] * len(padding)),
        }
        if post.images:
            found["pixels"] = torch.from_numpy(to_pixels(post.images[0]).copy())
        return found

    def handler(model: type, name: str) -> Any:
        return PytorchModelHandlerKeyedTensor(
            str(folder / name), model, {}, min_batch_size=32, max_batch_size=32
        )

    def read(some: Posts) -> None:
        with beam.Pipeline(runner="FnApiRunner") as pipeline:
            every = pipeline | beam.Create(some, reshuffle=False) | "Start" >> beam.Map(noted)
            pictured = every | "Pictured" >> beam.Filter(lambda post: bool(post.images))
            others = every | "Others" >> beam.Filter(lambda post: not post.images)
            for name, part, model in (("whole", pictured, WholeModel), ("text", others, TextModel)):
                _ = (
                    part
                    | f"Tensors {name}" >> beam.Map(tensors)
                    | f"Infer {name}" >> RunInference(handler(model, f"{name}.pt"))
                    | f"End {name}" >> beam.Map(noted)
                )

    return read


def ours(engine: str, precision: str) -> Callable[[Posts], Read]:
    """A scorer, called with all posts at once or in bundles of `BUNDLE`."""

    def build(_: Posts) -> Read:
        threads = len(os.sched_getaffinity(0))
        scorer = Scorer.load(DEFAULT_CHECKPOINT, threads, engine=engine, precision=precision)
        bundle = int(os.environ.get("BUNDLE", "512"))

        def read(posts: Posts) -> None:
            for start in range(0, len(posts), bundle):
                scorer.score(posts[start : start + bundle])

        return read

    return build


def torch_rows(rows: int) -> Callable[[Posts], Read]:
    """The torch engine with passes of so many rows."""

    def build(_: Posts) -> Read:
        from models.checkpoint import load_checkpoint
        from models.engines.torch_engine import TorchEngine

        checkpoint = load_checkpoint(DEFAULT_CHECKPOINT)
        engine = TorchEngine(checkpoint, len(os.sched_getaffinity(0)), rows=rows)
        scorer = Scorer(checkpoint, engine=engine)
        bundle = int(os.environ.get("BUNDLE", "512"))

        def read(posts: Posts) -> None:
            for start in range(0, len(posts), bundle):
                scorer.score(posts[start : start + bundle])

        return read

    return build


def ours_in_beam(_: Posts) -> Read:
    """The stage `Read` of the pipeline on the same runner as Beam's own."""
    import apache_beam as beam

    from models.following import Loading
    from schemas.records import Media, Position, Post
    from transforms.read import Read as ReadStage

    def post_of(numbered: tuple[int, ScoreInput]) -> Post:
        number, post = numbered
        return Post(
            channel="x",
            post_id=str(number),
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
            author="a",
            text=post.text,
            model_text=post.text,
            media=tuple(
                Media(sha256="0" * 64, width=224, height=224, rendition=image)
                for image in post.images
            ),
            position=Position("posts", 0, number),
        )

    threads = len(os.sched_getaffinity(0))

    def read(posts: Posts) -> None:
        with beam.Pipeline(runner="FnApiRunner") as pipeline:
            every = pipeline | beam.Create(list(map(post_of, enumerate(posts))), reshuffle=False)
            read_in = every | "Start" >> beam.Map(noted).with_output_types(Post)
            _ = (
                read_in
                | ReadStage(str(DEFAULT_CHECKPOINT), Loading(threads))
                | "End" >> beam.Map(noted)
            )

    return read


ALTERNATIVES: dict[str, Callable[[Posts], Read]] = {
    "transformers + timm": transformers_and_timm,
    "Beam RunInference, torch": beam_and_torch,
    "Moodwire, torch fp32": ours("torch", "auto"),
    "Moodwire, fp32": ours("onnx", "fp32"),
    "Moodwire, int8": ours("onnx", "int8"),
    "Moodwire, auto": ours("auto", "auto"),
    "Moodwire, int8, in Beam": ours_in_beam,
    **{f"Moodwire, torch, {rows} rows": torch_rows(rows) for rows in (1, 2, 4, 8, 16)},
}
PIPELINES = ("Beam RunInference, torch", "Moodwire, int8, in Beam")


def measure(name: str, warm: Posts, posts: Posts) -> dict[str, Any]:
    """Posts a second after a warm-up, time to load and answer once, and peak memory.

    A pipeline is timed from its first element, when its model is loaded, to its last answer.
    """
    started = time.perf_counter()
    read = ALTERNATIVES[name]([*warm, *posts])
    read(warm[:1])
    ready = time.perf_counter()
    read(warm[1:])
    seconds = timed(read, posts, name in PIPELINES)
    return {
        "name": name,
        "posts": len(posts),
        "rate": round(len(posts) / seconds, 2),
        "first_answer_seconds": round(ready - started, 2),
        "peak_megabytes": round(megabytes(os.getpid(), "VmHWM") or 0.0),
    }


def timed(read: Read, posts: Posts, in_pipeline: bool) -> float:
    """Seconds that the posts take."""
    begun = time.perf_counter()
    if not in_pipeline:
        read(posts)
        return time.perf_counter() - begun
    MOMENTS.clear()
    read(posts)
    return max(MOMENTS) - min(MOMENTS)


if __name__ == "__main__":
    with open(sys.argv[2], "rb") as file:
        warm, posts = pickle.load(file)
    print(json.dumps(measure(sys.argv[1], warm, posts)))
