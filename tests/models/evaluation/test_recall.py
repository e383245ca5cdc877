import numpy as np
import pytest

from models.evaluation.recall import Recall, partner_ranks, recall_at
from tests.models.retrieval.places import near, vectors


def by_direction(recalls: list[Recall], k: int) -> dict[str, float]:
    return {one.direction: one.recall.value for one in recalls if one.k == k}


def test_ranks_by_hand() -> None:
    similarity = np.array([[0.9, 0.1, 0.2], [0.8, 0.5, 0.6], [0.3, 0.3, 0.3]])

    # first: its own is closest; second: two are closer; third: ties count against it
    assert partner_ranks(similarity, np.eye(3, dtype=np.bool_)).tolist() == [1, 3, 3]


def test_either_partner_counts_where_two_pairs_hold_the_same() -> None:
    similarity = np.array([[0.1, 0.9], [0.1, 0.9]])

    assert partner_ranks(similarity, np.ones((2, 2), dtype=np.bool_)).tolist() == [1, 1]


def test_aligned_pairs_are_all_found() -> None:
    text = np.stack(vectors(100))
    image = np.stack([near(one, 0.1, seed) for seed, one in enumerate(text)])
    recalls = recall_at(text, image)

    assert by_direction(recalls, 1) == {"text → image": 1.0, "image → text": 1.0}
    assert [(one.k, one.chance) for one in recalls[:3]] == [(1, 0.01), (5, 0.05), (10, 0.1)]


def test_unrelated_pairs_are_found_by_chance() -> None:
    recalls = recall_at(np.stack(vectors(400)), np.stack(vectors(400, seed=1)), ks=(40,))

    assert [one.recall.value for one in recalls] == pytest.approx([0.1, 0.1], abs=0.05)
    assert all(one.recall.low < one.recall.value < one.recall.high for one in recalls)


def test_a_space_where_all_is_the_same_finds_nothing() -> None:
    same = np.repeat(np.stack(vectors(1)), 50, axis=0)

    assert set(by_direction(recall_at(same, same), 10).values()) == {0.0}


def test_directions_differ() -> None:
    # both texts lie near image 0, so the second misses its own; each image finds its text
    text = np.array([[1, 0], [0.9, 0.01]], dtype=np.float32)
    image = np.array([[1, 0], [0, 1]], dtype=np.float32)
    recalls = by_direction(recall_at(text, image, ks=(1,)), 1)

    assert recalls == {"text → image": 0.5, "image → text": 1.0}


def test_shapes_that_differ_are_an_error() -> None:
    with pytest.raises(ValueError, match="one row each"):
        recall_at(np.stack(vectors(3)), np.stack(vectors(2)))
