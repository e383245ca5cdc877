import random
import subprocess
import sys

import numpy as np
import pytest

from models.retrieval import index as index_module
from models.retrieval.index import SlidingIndex, Vector, key_of
from tests.models.retrieval.places import WIDTH, a_filled_index, an_entry, near, vectors


def ids(index: SlidingIndex) -> list[str]:
    return [entry.post_id for entry in index]


def found(index: SlidingIndex, vector: Vector, limit: int = 10) -> list[str]:
    return [match.entry.post_id for match in index.search(vector, "text", limit)]


def test_results_are_those_of_comparing_with_every_post() -> None:
    index, texts = a_filled_index(500)
    for query in vectors(20, seed=9):
        closest = np.argsort(-(np.stack(texts) @ query), kind="stable")[:10]

        matches = index.search(query, "text", 10)

        assert [match.entry.post_id for match in matches] == [str(place) for place in closest]
        best = float(texts[closest[0]] @ query)
        assert matches[0].similarity == pytest.approx(best, abs=1e-3)


def test_images_are_found_apart_from_texts() -> None:
    index, _ = a_filled_index(30)
    image = vectors(30, seed=1)[6]

    [match] = index.search(image, "image", 1)

    assert match.entry.post_id == "6"
    assert match.similarity == pytest.approx(1, abs=1e-3)
    assert len(index.search(image, "image", 100)) == 10  # every third of 30


def test_a_large_index_finds_nearly_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    index, _ = a_filled_index(2000)
    queries = vectors(50, seed=9)
    exact = [set(found(index, query)) for query in queries]
    monkeypatch.setattr(index_module, "EXACT_UP_TO", 0)

    quick = [set(found(index, query)) for query in queries]

    assert sum(len(a & b) for a, b in zip(exact, quick, strict=True)) / 500 > 0.95


def test_a_forgotten_post_is_in_no_result() -> None:
    index, texts = a_filled_index()

    assert index.forget(key_of("x", "7"))
    assert not index.forget(key_of("x", "7"))
    assert "7" not in found(index, texts[7], limit=200)
    assert len(found(index, texts[7], limit=300)) == len(index) == 199
    assert index.vector(key_of("x", "7"), "text") is None


def test_a_post_that_comes_again_replaces_itself() -> None:
    index, texts = a_filled_index(20)

    index.add(an_entry("3", 3.0), texts[5], None)

    assert len(index) == 20
    assert sorted(found(index, texts[5], limit=2)) == ["3", "5"]


def test_a_full_index_forgets_the_oldest_and_stays_bounded() -> None:
    index, texts = a_filled_index(1000, capacity=50)

    assert ids(index) == [str(number) for number in range(950, 1000)]
    assert found(index, texts[0], limit=1000).count("0") == 0
    assert len(index.indexes["text"]) == 50
    assert index.indexes["text"].capacity < 500


def test_posts_older_than_the_horizon_are_forgotten_or_not_taken() -> None:
    index, texts = a_filled_index(100, horizon_seconds=10)

    assert ids(index) == [str(number) for number in range(89, 100)]
    assert not index.add(an_entry("late", 50.0), texts[0], None)
    assert "late" not in ids(index)


def test_a_post_that_comes_again_and_again_costs_no_memory() -> None:
    index, texts = a_filled_index(10)
    for _ in range(500):
        index.add(an_entry("3", 3.0), texts[3], None)

    assert len(index._by_age) <= 2 * 10 + 17
    assert index.indexes["text"].capacity < 200


@pytest.mark.parametrize("seed", range(3))
def test_the_same_posts_in_any_order_leave_the_same_index(seed: int) -> None:
    posts = [(an_entry(str(n), float(n)), vector) for n, vector in enumerate(vectors(100))]
    index = SlidingIndex(WIDTH, capacity=40, horizon_seconds=30)
    for entry, vector in random.Random(seed).sample(posts, len(posts)):
        index.add(entry, vector, None)

    assert ids(index) == [str(number) for number in range(69, 100)]


def test_posts_alike_are_close_in_all_that_the_post_has() -> None:
    text, image, *others = vectors(40)
    index = SlidingIndex(WIDTH)
    index.add(an_entry("asked"), text, image)
    index.add(an_entry("both"), near(text, 0.3, 1), near(image, 0.3, 2))
    index.add(an_entry("text alone"), near(text, 0.1, 3), None)
    for number, vector in enumerate(others):
        index.add(an_entry(str(number)), vector, None)

    first, second, *_ = index.similar(key_of("x", "asked"), 5)

    assert (first.entry.post_id, second.entry.post_id) == ("both", "text alone")
    assert second.similarity == pytest.approx(0.5, abs=0.01)  # no image: 0 for that half
    with pytest.raises(KeyError):
        index.similar(key_of("x", "nobody"))


def test_equally_close_posts_are_ordered_by_identity() -> None:
    index = SlidingIndex(WIDTH)
    [vector] = vectors(1)
    for name in random.Random(0).sample("abcdefghij", 10):
        index.add(an_entry(name), vector, None)

    assert found(index, vector, limit=4) == ["a", "b", "c", "d"]


def test_posts_are_found_by_id_and_by_channel() -> None:
    index = SlidingIndex(WIDTH)
    [vector] = vectors(1)
    for channel in ("x", "reddit"):
        index.add(an_entry("1", channel=channel), vector, None)

    assert len(index.find("1")) == 2
    assert [entry.channel for entry in index.find("reddit/1")] == ["reddit"]


def test_misuse_is_an_error() -> None:
    with pytest.raises(ValueError, match="shape"):
        SlidingIndex(WIDTH).add(an_entry(), np.zeros(3, dtype=np.float32), None)
    with pytest.raises(ValueError, match="capacity"):
        SlidingIndex(WIDTH, capacity=0)


def test_an_empty_index_finds_nothing() -> None:
    assert SlidingIndex(WIDTH).search(vectors(1)[0], "image") == []
    assert not SlidingIndex(WIDTH).add(an_entry(), None, None)


@pytest.mark.parametrize("first", ["models.retrieval.index", "models.scorer"])
def test_the_index_and_what_scores_load_in_any_order(first: str) -> None:
    """Their native libraries do not: in a process of its own, since that would end it."""
    script = f"import {first}, models.scorer, models.retrieval.index"

    assert subprocess.run([sys.executable, "-c", script], timeout=120, check=False).returncode == 0
