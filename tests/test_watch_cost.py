"""Facts about what it costs to watch a brand."""

from benchmarks.watch_cost import cost_of, cost_of_parts


def test_a_key_is_some_kilobytes() -> None:
    found = cost_of(20)

    assert 1_000 < found["bytes_of_state"] < 40_000
    assert found["micros_a_window"] > 0


def test_each_part_of_the_detector_has_its_cost() -> None:
    found = {one["part"]: one for one in cost_of_parts()}

    assert {"volume", "negativity", "images", "words"} < set(found)
    assert all(one["bytes"] > 0 and one["micros"] > 0 for one in found.values())
