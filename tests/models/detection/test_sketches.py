import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.detection.sketches import DistinctSketch


def a_sketch(items: list[str]) -> DistinctSketch:
    sketch = DistinctSketch()
    for item in items:
        sketch.learn_one(item)
    return sketch


@pytest.mark.parametrize("n", [0, 1, 4, 8, 20])
def test_few_items_are_counted_exactly(n: int) -> None:
    assert a_sketch([f"author-{i}" for i in range(n)] * 2).count == n


@pytest.mark.parametrize("n", [300, 5_000])
def test_many_items_are_counted_within_five_percent_in_any_order(n: int) -> None:
    items = [f"author-{i}" for i in range(n)]
    told = set()
    for seed in range(5):
        random.Random(seed).shuffle(items)
        told.add((a_sketch(items).count, a_sketch(items).to_bytes()))

    assert len(told) == 1
    assert next(iter(told))[0] == pytest.approx(n, rel=0.05)


@given(st.lists(st.text(max_size=4)), st.lists(st.text(max_size=4)))
def test_merging_commutes_and_equals_learning_all(left: list[str], right: list[str]) -> None:
    one, other = a_sketch(left), a_sketch(right)
    one.merge(a_sketch(right))
    other.merge(a_sketch(left))

    assert one.to_bytes() == other.to_bytes() == a_sketch(left + right).to_bytes()


def test_bytes_bring_the_sketch_back() -> None:
    sketch = DistinctSketch.from_bytes(a_sketch(["ann", "bo"]).to_bytes())
    sketch.learn_one("bo")
    sketch.learn_one("cy")

    assert sketch.count == 3


@given(st.lists(st.lists(st.text(max_size=3), max_size=30), max_size=6))
def test_bytes_do_not_tell_when_a_sketch_was_read(parts: list[list[str]]) -> None:
    read, unread = DistinctSketch(), DistinctSketch()
    for part in parts:
        for item in part:
            read.learn_one(item)
            unread.learn_one(item)
        assert DistinctSketch.from_bytes(read.to_bytes()).count == read.count

    assert read.to_bytes() == unread.to_bytes()
