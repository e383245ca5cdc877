import random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from models.detection.topic_memory import TopicHour
from schemas.records import Reading
from tests.builders import NOON
from tests.topics import BAGS, USUAL, about, an_hour
from transforms.samples import Sample, samples_by_key
from transforms.topic_hours import DRAWN, Gathered, drawn_from, hour_of

MANY = [
    *about(USUAL, 0, 700),
    *about(BAGS, 0, 200, valence=-0.8),
]


def samples(readings: list[Reading]) -> list[Sample]:
    return [sample for reading in readings for _, sample in samples_by_key(reading, ())]


def gathered(posts: list[Sample]) -> tuple[Gathered, list[Sample]]:
    """What the stage holds after these posts in this order."""
    known, held = Gathered(), []
    for sample in posts:
        if known.takes(sample):
            held.append(sample)
            if known.held >= 2 * DRAWN:
                held = known.narrow(held)
    return known, held


def hour(posts: list[Sample]) -> TopicHour:
    known, held = gathered(posts)
    return hour_of(NOON, held, posts=known.posts, final=True, most=10)


ALL = samples(MANY)


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False))
def test_any_order_of_posts_gives_the_same_hour(chance: random.Random) -> None:
    shuffled = [*ALL]
    chance.shuffle(shuffled)

    assert msgspec.msgpack.encode(hour(shuffled)) == msgspec.msgpack.encode(hour(ALL))


def test_what_is_held_is_bounded_and_holds_all_that_is_drawn() -> None:
    known, held = gathered(ALL)

    assert known.posts == len(ALL) == 900 and DRAWN <= len(held) < 2 * DRAWN
    assert drawn_from(held) == drawn_from(ALL)


def test_posts_of_a_topic_are_estimated_from_the_sample() -> None:
    (bags,) = (group for group in hour(ALL).groups if "luggage" in group.weights)

    assert 140 <= bags.posts <= 260 and bags.authors < 100
    assert bags.share_negative.mean == 1 and bags.valence.mean == -0.8


def test_a_sample_that_covers_the_hour_counts_exactly() -> None:
    found = an_hour(0, [*about(USUAL, 0, 24), *about(BAGS, 0, 12)])

    assert found.pane == 36 == sum(group.posts for group in found.groups) + found.other
    assert [group.posts for group in found.groups if "luggage" in group.weights] == [12]


def test_a_text_that_is_reposted_is_no_topic_unless_people_are_many() -> None:
    few = about(["everybody click here now quickly"], 0, 40, cluster_id="same", author="loud")
    many = about(["everybody click here now quickly"], 0, 40, cluster_id="same")

    for storm, topics in ((few, 0), (many, 1)):
        groups = an_hour(0, [*about(USUAL, 0, 12), *storm]).groups
        assert sum("click" in group.counts for group in groups) == topics


def test_copies_count_once_in_words_and_each_in_posts() -> None:
    posts = [*about(BAGS, 0, 8), *about(["they lost my luggage today"], 0, 9, cluster_id="same")]
    (group,) = an_hour(0, posts).groups

    assert group.posts == 17 and group.texts == 9 and group.counts["luggage"] == 9


def test_topics_beyond_the_most_are_other() -> None:
    posts = [*about(USUAL, 0, 24), *about(BAGS, 0, 12)]
    whole, capped = an_hour(0, posts), an_hour(0, posts, most=1)

    assert len(whole.groups) == 4 and len(capped.groups) == 1
    assert capped.groups[0] == whole.groups[0]
    assert capped.other == 36 - capped.groups[0].posts


def test_words_that_name_the_brand_are_none_of_its_topics() -> None:
    posts = samples(about([f"{text} nova" for text in USUAL], 0, 24))
    named = hour_of(NOON, posts, posts=24, final=True, most=10)
    unnamed = hour_of(NOON, posts, posts=24, final=True, most=10, own={"nova"})

    assert all("nova" in group.weights for group in named.groups)
    assert unnamed.groups and not any("nova" in group.counts for group in unnamed.groups)
    assert "nova" in named.words and "nova" not in unnamed.words


def test_unsure_posts_are_posts_without_a_mood() -> None:
    (group,) = an_hour(0, about(BAGS, 0, 8, abstained=True, valence=-1.0)).groups

    assert group.posts == 8
    assert (group.share_negative.low, group.share_negative.high) == (0, 1)
    assert (group.valence.low, group.valence.high) == (-1, 1)


def test_exemplars_are_different_texts_of_the_topic() -> None:
    (group,) = an_hour(0, about(BAGS, 0, 8)).groups

    assert len({post.text for post in group.exemplars}) == 3
    assert all("luggage" in post.text for post in group.exemplars)
