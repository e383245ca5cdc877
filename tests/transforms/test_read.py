"""Facts about reading posts: one reading each, in event time, the same in any company."""

import io
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.testing.test_pipeline import TestPipeline
from apache_beam.testing.util import assert_that, equal_to
from PIL import Image

from models.checkpoint import DEFAULT_CHECKPOINT
from models.following import Loading
from models.images import render
from models.model_pointer import point_at
from models.scorer import Scorer
from schemas.records import Media, Position, Post, Reading
from tests.models.named_models import a_named_checkpoint
from transforms.read import Read, _ReadBatches, read_batch
from transforms.readings import make_reading, score_input

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)


def a_post(post_id: str = "1", text: str = "what a lovely day", **changes: Any) -> Post:
    """A text post of noon."""
    return Post(
        channel="x",
        post_id=post_id,
        created_at=NOON,
        author="a",
        text=text,
        model_text=text,
        position=Position("posts", 0, 0),
        **changes,
    )


def a_picture() -> Media:
    """The rendition of an orange square."""
    image = Image.new("RGB", (300, 240), "orange")
    return Media(sha256="0" * 64, width=300, height=240, rendition=render(image))


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer.load(DEFAULT_CHECKPOINT)


def test_a_reading_keeps_who_said_what_and_when(scorer: Scorer) -> None:
    post = a_post(media=(a_picture(),))

    reading = make_reading(post, scorer.score([score_input(post)])[0])

    assert (reading.post_id, reading.created_at, reading.text) == ("1", NOON, post.text)
    assert reading.thumbnails == ("0" * 64,)
    assert reading.weights.text + reading.weights.image == pytest.approx(1, abs=1e-5)


def test_every_post_is_read_once_in_event_time(scorer: Scorer) -> None:
    posts = [a_post(str(n), "lovely " * (n % 40 + 1)) for n in range(60)]
    alone = [make_reading(p, scorer.score([score_input(p)])[0]) for p in posts]

    with TestPipeline(runner="FnApiRunner") as pipeline:
        readings = pipeline | beam.Create(posts) | Read(str(DEFAULT_CHECKPOINT))
        stamped = readings | beam.Map(with_event_time)

        assert_that(stamped, equal_to([(reading, NOON.timestamp()) for reading in alone]))


def with_event_time(
    reading: Reading, moment: Any = beam.DoFn.TimestampParam
) -> tuple[Reading, float]:
    """The reading with the event time of its element."""
    return reading, float(moment)


def test_the_model_is_named_in_every_reading(scorer: Scorer) -> None:
    readings = [reading for _, reading in read_batch([a_post()], scorer)]

    assert [reading.model for reading in readings] == [scorer.model]


def test_a_broken_rendition_is_an_error_not_a_guess(scorer: Scorer) -> None:
    broken = Media(sha256="1" * 64, width=1, height=1, rendition=io.BytesIO(b"no").getvalue())

    with pytest.raises(ValueError, match="rendition"):
        scorer.score([score_input(a_post(media=(broken,)))])


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("models")
    for seed, name in enumerate(("first", "second")):
        a_named_checkpoint(home / name, name, seed)
    return home


def test_a_bundle_is_read_by_one_model_and_the_next_one_by_the_new(
    models: Path, tmp_path: Path
) -> None:
    pointer = tmp_path / "current"
    point_at(pointer, models / "first")
    reader = _ReadBatches(str(pointer), Loading(), refresh_seconds=1e-6)
    reader.setup()
    point_at(pointer, models / "second")

    reader.start_bundle()
    before = models_of_two_batches(reader)
    reader.model.join()  # the new model is there, and the bundle goes on
    within = models_of_two_batches(reader)
    reader.finish_bundle()
    reader.start_bundle()
    after = models_of_two_batches(reader)

    assert (before, within, after) == (["first"] * 2, ["first"] * 2, ["second"] * 2)


def models_of_two_batches(reader: _ReadBatches) -> list[str]:
    """Which model reads the batches of one bundle."""
    batches = (reader.process([a_post(str(n))]) for n in range(2))
    return [stamped.value.model for batch in batches for stamped in batch]


def test_a_worker_reads_without_torch() -> None:
    """It is 500 MB and two seconds of each worker."""
    code = (
        "import sys, pipelines.build, pipelines.worker\n"
        "from models.checkpoint import DEFAULT_CHECKPOINT\n"
        "from models.following import Loading, follow\n"
        "from models.scorer import ScoreInput\n"
        "model = follow(str(DEFAULT_CHECKPOINT), Loading(engine='onnx'), 0.0)\n"
        "assert model.score([ScoreInput('what a lovely day')])\n"
        "print('torch' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.split() == ["False"], told
