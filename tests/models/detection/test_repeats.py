import random

import pytest

from models.detection.repeats import BUCKETS, Repeats, bucket_of, pairs_within

Post = tuple[str, str, int]


def learned(posts: list[Post]) -> Repeats:
    repeats = Repeats()
    for author, text, value in posts:
        repeats.learn_one(author, text, [value])
    return repeats


def worth_of(posts: list[Post]) -> float:
    values = [value / 1000 for *_, value in posts]
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / len(values)
    return learned(posts).worth(len(posts), [variance])[0]


def strangers(n: int, seed: int = 1) -> list[Post]:
    """Posts of as many authors, each with words of its own."""
    rng = random.Random(seed)
    return [(f"author-{seed}-{i}", f"text-{seed}-{i}", rng.randint(-500, 500)) for i in range(n)]


def test_strangers_are_worth_about_as_many_as_they_are() -> None:
    found = [worth_of(strangers(200, seed)) for seed in range(20)]

    assert max(found) <= 200
    assert sum(found) / len(found) > 150


def test_copies_of_one_text_are_worth_one_post() -> None:
    copies = [(f"author-{i}", "the same", 300) for i in range(100)]

    assert worth_of(copies) == 1
    assert worth_of([*copies, *strangers(20)]) < 3


def test_one_author_who_shouts_is_not_a_crowd() -> None:
    shouted = [("loud", f"words-{i}", -900 + i % 3) for i in range(80)]

    assert worth_of([*shouted, *strangers(40)]) < 6


def test_an_author_of_many_moods_is_worth_more_than_one_of_a_single_mood() -> None:
    rng = random.Random(3)
    moods = [(f"author-{i % 20}", f"text-{i}", rng.randint(-500, 500)) for i in range(200)]
    single = [(author, text, 25 * int(author[7:]) - 250) for author, text, _ in moods]

    assert worth_of(single) < 40
    assert worth_of(moods) > 80


def test_any_order_and_any_grouping_gives_the_same() -> None:
    posts = [*strangers(60), *[("loud", "again", -400)] * 9]
    shuffled = random.Random(4).sample(posts, len(posts))
    merged = learned(shuffled[:20])
    merged.merge(learned(shuffled[20:]))

    assert merged == learned(posts)


def test_posts_that_an_earlier_release_counted_are_taken_as_independent() -> None:
    repeats = learned(strangers(5))

    assert repeats.worth(9, [0.1, 0.2]) == [9.0, 9.0]
    assert Repeats().worth(0, [0.0]) == [0.0]


@pytest.mark.parametrize("groups", [10, 100, 1000])
def test_pairs_are_estimated_from_buckets_without_bias(groups: int) -> None:
    found = []
    for seed in range(40):
        counts = [0] * BUCKETS
        for group in range(groups):
            counts[bucket_of(f"{seed}-{group}")] += 5
        found.append(pairs_within(counts, 5 * groups) / (25 * groups))

    assert sum(found) / len(found) == pytest.approx(1, abs=0.12)
