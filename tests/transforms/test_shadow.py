"""Facts about the shadow in a pipeline: the same share, exact counts, and no harm done."""

from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from models.following import Loading
from models.model_pointer import point_at
from models.scorer import ScoreInput, Scorer
from models.shadow import Compared, ShadowModel
from pipelines.run import _values
from pipelines.shadow_summary import ShadowSummary, summarise_shadow
from schemas.records import Post, Reading
from tests.builders import a_post, a_reading
from tests.models.named_models import a_named_checkpoint
from transforms.read import Read, read_batch
from transforms.shadow import CompareShadow, is_chosen, shadow_model

WORDS = ("good", "bad phone", "the phone is very good", "not bad", "very very bad")
POSTS = [a_post(post_id=str(n), text=WORDS[n % len(WORDS)]) for n in range(60)]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("models")
    for seed, name in enumerate(("first", "second")):
        a_named_checkpoint(home / name, name, seed)
    return home


def test_the_share_is_chosen_by_identity_and_larger_ones_hold_smaller_ones() -> None:
    readings = [a_reading(post_id=str(n)) for n in range(5000)]
    chosen = [{r.post_id for r in readings if is_chosen(r, share)} for share in (0.1, 0.3, 1.0)]

    assert chosen[0] < chosen[1] < chosen[2]
    assert [len(ids) / len(readings) for ids in chosen] == pytest.approx([0.1, 0.3, 1.0], abs=0.02)


def read_with(shadow: CompareShadow | None, checkpoint: Path) -> tuple[int, ShadowSummary | None]:
    """How many readings came, and what the shadow found."""
    pipeline = beam.Pipeline(runner="FnApiRunner", options=PipelineOptions([]))
    posts = pipeline | beam.Create(POSTS) | beam.Map(_same).with_output_types(Post)
    _ = posts | "Read" >> Read(str(checkpoint), shadow=shadow) | beam.Map(_typed)
    result = pipeline.run()
    result.wait_until_finish()
    counters = _values(result.metrics().query()["counters"])
    readings = sum(n for name, n in counters.items() if name.startswith("moodwire_readings"))
    return readings, summarise_shadow(counters)


def _same(post: Post) -> Post:
    return post


def _typed(reading: Reading) -> str:
    return reading.post_id


def expected(models: Path, share: float) -> ShadowSummary:
    """What the two models disagree about, without Beam."""
    live = read_batch(POSTS, Scorer.load(models / "first"))
    pairs = [Compared(read, reading) for read, reading in live if is_chosen(reading, share)]
    found = ShadowModel(lambda: Scorer.load(models / "second")).compare(pairs)
    return ShadowSummary(
        posts=found.posts,
        skipped={},
        share_differing=round(found.differing / found.posts, 6),
        mean_difference={
            name: round(total / 1e6 / found.posts, 6)
            for name, total in sorted(found.differences.items())
            if total
        },
    )


def test_a_waiting_shadow_compares_every_chosen_post(models: Path) -> None:
    shadow = CompareShadow(str(models / "second"), share=0.5, waits=True)

    readings, found = read_with(shadow, models / "first")

    assert readings == len(POSTS)
    assert found == expected(models, 0.5)
    assert found.mean_difference["valence"] > 0


def test_a_shadow_may_be_named_by_a_pointer(models: Path, tmp_path: Path) -> None:
    point_at(tmp_path / "next", models / "second")

    _, found = read_with(CompareShadow(str(tmp_path / "next"), 1.0, waits=True), models / "first")

    assert found is not None and found.posts == len(POSTS)


@pytest.mark.parametrize("waits", [True, False])
def test_a_broken_shadow_costs_no_reading(waits: bool, models: Path, tmp_path: Path) -> None:
    shadow = CompareShadow(str(tmp_path / "nowhere"), share=1.0, waits=waits)

    readings, found = read_with(shadow, models / "first")

    assert readings == len(POSTS)
    assert found is None or (found.posts == 0 and found.skipped.keys() == {"load"})


def test_without_a_shadow_there_is_nothing_to_tell(models: Path) -> None:
    assert read_with(None, models / "first") == (len(POSTS), None)


def test_models_are_held_once_a_process() -> None:
    held = shadow_model("nowhere", Loading())

    assert shadow_model("nowhere", Loading()) is held
    assert held.compare([Compared(ScoreInput("x"), a_reading())]).skipped == {"load": 1}
