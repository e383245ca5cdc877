"""Facts about drift: silent on the same population, loud on a shifted one, free of order."""

import random
from pathlib import Path

import msgspec
import pytest
from scipy.spatial.distance import jensenshannon

from models.checkpoint import DEFAULT_CHECKPOINT, CheckpointError
from models.drift import (
    LEAST_ROWS,
    NUMERIC,
    REFERENCE_FILE,
    SHARES,
    Drift,
    Histogram,
    Population,
    Reference,
    bin_of,
    jensen_shannon_distance,
    population_stability_index,
    proportions,
    read_reference,
    reference_of,
    write_reference,
)
from schemas.records import Reading
from tests.builders import a_reading, a_stream, an_image_reading, angry, calm

WORTH_A_LOOK = 0.2


def readings(count: int, mood: object = calm, seed: int = 1) -> list[Reading]:
    """Everyday readings with texts of many lengths, one in five of them with an image."""
    rng = random.Random(seed)
    found = a_stream(3600, count / 60, mood, seed=seed)  # type: ignore[arg-type]
    return [
        msgspec.structs.replace(
            reading,
            text="w" * rng.randint(5, 200),
            confidence=rng.uniform(0.4, 1),
            mismatch=rng.random() if reading.thumbnails else None,
        )
        for reading in found
    ]


def population(found: list[Reading], reference: Reference) -> Population:
    learned = Population()
    for reading in found:
        learned.learn_one(reading, reference)
    return learned


def drifts(found: list[Reading], reference: Reference) -> dict[str, Drift]:
    return {drift.statistic: drift for drift in population(found, reference).drifts(reference)}


@pytest.fixture(scope="module")
def reference() -> Reference:
    return reference_of(readings(5000))


def test_a_reference_tells_every_statistic(reference: Reference) -> None:
    assert set(reference.numeric) == set(NUMERIC)
    assert set(reference.shares) == set(SHARES)
    assert reference.rows == sum(reference.numeric["valence"].counts)
    assert reference.shares["has_image"] == pytest.approx(0.2, abs=0.02)


def test_the_same_population_is_silent(reference: Reference) -> None:
    found = drifts(readings(5000, seed=2), reference)

    assert found.keys() == {*NUMERIC, *SHARES}
    assert max(drift.psi for drift in found.values()) < 0.05
    assert max(drift.js for drift in found.values()) < 0.1


def test_a_shifted_population_is_loud_where_it_shifted(reference: Reference) -> None:
    found = drifts(readings(5000, angry, seed=2), reference)

    loud = {name for name, drift in found.items() if drift.psi > WORTH_A_LOOK}
    assert loud == {"valence", "emotion_anger", "has_image"}
    assert all(found[name].js > 0.15 for name in loud)


def test_longer_texts_are_seen_in_their_length_alone(reference: Reference) -> None:
    longer = [msgspec.structs.replace(r, text=3 * r.text) for r in readings(2000, seed=3)]

    found = drifts(longer, reference)

    assert [name for name, drift in found.items() if drift.psi > WORTH_A_LOOK] == [
        "text_characters"
    ]


def test_too_few_readings_say_nothing(reference: Reference) -> None:
    few = readings(5000)[: LEAST_ROWS - 1]

    assert drifts(few, reference) == {}


def test_statistics_of_images_need_as_many_images(reference: Reference) -> None:
    found = drifts(readings(5000, seed=4)[: 2 * LEAST_ROWS], reference)

    assert "valence" in found and "has_image" in found
    assert "mismatch" not in found and "alpha_text" not in found


def test_parts_add_up_to_the_whole_in_any_order(reference: Reference) -> None:
    found = readings(600, seed=5)
    parts = [population(found[start : start + 50], reference) for start in range(0, 600, 50)]
    random.Random(1).shuffle(parts)
    merged = Population()
    for part in parts:
        merged.merge(part)

    whole = population(found[:600], reference)
    assert (merged.rows, merged.counts, merged.sums) == (whole.rows, whole.counts, whole.sums)


def test_distances_are_those_of_the_textbooks() -> None:
    expected, found = proportions((10, 30, 60)), proportions((40, 40, 20))

    ours = jensen_shannon_distance(expected, found)
    assert ours == pytest.approx(jensenshannon(expected, found, base=2))
    assert ours == pytest.approx(jensen_shannon_distance(found, expected))
    assert population_stability_index(expected, found) == pytest.approx(
        population_stability_index(found, expected)
    )
    assert jensen_shannon_distance((1.0, 0.0 + 1e-12), (1e-12, 1.0)) == pytest.approx(1, abs=1e-5)


def test_an_empty_bin_does_not_make_a_distance_endless() -> None:
    assert population_stability_index(proportions((100, 0)), proportions((0, 100))) < 20


def test_what_lies_outside_the_reference_falls_into_its_outer_bins() -> None:
    edges = (0.0, 1.0, 2.0, 3.0)

    assert [bin_of(edges, value) for value in (-9, 0, 0.99, 1, 2.5, 3, 99)] == [0, 0, 0, 1, 2, 2, 2]


def test_a_constant_makes_a_reference_of_one_bin() -> None:
    same = [an_image_reading(post_id=str(n)) for n in range(LEAST_ROWS)]
    reference = reference_of(same)

    assert reference.numeric["confidence"].counts == (LEAST_ROWS,)
    assert drifts(same, reference)["confidence"].psi == 0


def test_a_reference_is_of_one_model() -> None:
    with pytest.raises(ValueError, match="one model"):
        reference_of([a_reading(model="one"), a_reading(model="other")])


def test_a_reference_is_kept_beside_the_weights(reference: Reference, tmp_path: Path) -> None:
    write_reference(tmp_path, reference)

    assert read_reference(tmp_path) == reference


def test_a_folder_without_a_reference_has_none(tmp_path: Path) -> None:
    assert read_reference(tmp_path) is None


@pytest.mark.parametrize(
    "content",
    [
        b"{broken",
        b'{"version": 1, "model": "m", "rows": 1, "shares": {},'
        b' "numeric": {"valence": {"edges": [1, 1], "counts": [1]}}}',
        b'{"version": 2, "model": "m", "rows": 1, "numeric": {}, "shares": {}}',
    ],
)
def test_a_damaged_reference_is_an_error_with_the_remedy(content: bytes, tmp_path: Path) -> None:
    (tmp_path / REFERENCE_FILE).write_bytes(content)

    with pytest.raises(CheckpointError, match="moodwire models reference"):
        read_reference(tmp_path)


def test_edges_must_rise() -> None:
    with pytest.raises(ValueError, match="rising"):
        Histogram((1.0, 0.5), (3,))


def test_the_shipped_checkpoint_has_its_reference() -> None:
    reference = read_reference(DEFAULT_CHECKPOINT)

    assert reference is not None
    assert set(reference.numeric) == set(NUMERIC) and set(reference.shares) == set(SHARES)
    assert (
        reference.model
        == msgspec.json.decode((DEFAULT_CHECKPOINT / "config.json").read_bytes())["version"]
    )
