import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.emotions import EMOTION_GROUPS, EMOTIONS, group_probabilities, leading_emotion
from schemas.records import Reading, Slice, Weights, encode
from tests.builders import NOON, a_reading, a_stream, an_image_reading, calm
from transforms.kafka.producers import USUAL_LARGEST_BYTES
from transforms.samples import Sample, samples_by_key
from transforms.tally import Tally, decode_tally, encode_tally

KEY = ("Nova", "*", "*", "*")
POSTS = a_stream(600, 12, seed=9)


def samples(readings: list[Reading]) -> list[Sample]:
    return [dict(samples_by_key(reading, ()))[KEY] for reading in readings]


def a_tally(readings: list[Reading]) -> Tally:
    tally = Tally()
    for sample in samples(readings):
        tally.learn_one(sample)
    return tally


def test_the_trend_of_the_longest_posts_fits_into_a_message() -> None:
    longest = [
        a_reading(post_id=str(n), cluster_id=str(n), text="😀" * 65_000, valence=-0.9)
        for n in range(8)
    ]

    trend = a_tally(longest).trend(KEY, NOON, NOON + 300, "final")

    assert len(trend.exemplars) == 5
    assert len(encode(trend)) < USUAL_LARGEST_BYTES / 4


@settings(max_examples=40)
@given(st.permutations(POSTS), st.integers(0, len(POSTS)), st.integers(0, len(POSTS)))
def test_any_order_and_any_grouping_gives_the_same_bytes(
    posts: list[Reading], one: int, two: int
) -> None:
    first, last = sorted((one, two))
    a, b, c = a_tally(posts[:first]), a_tally(posts[first:last]), a_tally(posts[last:])
    c.merge(a)
    c.merge(b)

    assert encode_tally(c) == encode_tally(a_tally(POSTS))


def test_bytes_bring_the_tally_back() -> None:
    data = encode_tally(a_tally(POSTS))

    assert encode_tally(decode_tally(data)) == data


def test_a_tally_that_0_2_0_began_goes_on_with_intervals_of_independent_posts() -> None:
    state = msgspec.msgpack.decode(encode_tally(a_tally(POSTS[:40])))
    old = decode_tally(
        msgspec.msgpack.encode({k: v for k, v in state.items() if "repeats" not in k})
    )
    for sample in samples(POSTS[40:80]):
        old.learn_one(sample)
    trend, expected = (t.trend(KEY, 0, 300, "final") for t in (old, a_tally(POSTS[:80])))

    assert trend.valence.mean == expected.valence.mean
    assert expected.valence.low <= trend.valence.low < trend.valence.high <= expected.valence.high


def test_reposts_and_shouting_make_intervals_wider() -> None:
    strangers = [
        a_reading(post_id=f"{n}", author=f"a{n}", valence=n % 5 / 5 - 0.4) for n in range(60)
    ]
    reposts = [
        *strangers[:30],
        *(
            a_reading(post_id=f"r{n}", author=f"b{n}", cluster_id="same", valence=-0.4)
            for n in range(30)
        ),
    ]
    shouting = [
        *strangers[:30],
        *(a_reading(post_id=f"s{n}", author="loud", valence=-0.4) for n in range(30)),
    ]
    wide = [a_tally(posts).trend(KEY, 0, 300, "final").valence for posts in (reposts, shouting)]
    usual = a_tally(strangers).trend(KEY, 0, 300, "final").valence

    assert all(one.high - one.low > 2 * (usual.high - usual.low) for one in wide)


def test_a_trend_by_hand() -> None:
    posts = [
        a_reading(post_id="1", author="a", valence=-0.6, reach=9),
        a_reading(post_id="2", author="a", valence=0.2, reach=0),
        a_reading(post_id="3", author="b", valence=-0.9, abstained=True, reach=0),
        an_image_reading(post_id="4", author="c", valence=-0.2, reach=0, weights=Weights(0.4, 0.6)),
    ]
    trend = a_tally(posts).trend(KEY, NOON, NOON + 300, "final")

    assert (trend.posts, trend.authors, trend.clusters, trend.abstained) == (4, 3, 4, 1)
    assert trend.pane_index == 4 and trend.final and trend.timing == "final"
    assert trend.slice == Slice() and trend.reach == 9
    assert trend.valence.mean == pytest.approx(-0.2)
    assert trend.valence_reach_weighted == pytest.approx((10 * -0.6 + 0.2 - 0.2) / 12)
    assert trend.share_negative.mean == pytest.approx(1 / 3, abs=1e-6)
    assert trend.negative_authors == 1
    assert trend.posts_with_image == 1 and trend.image_authors == 1
    assert trend.image_valence is not None and trend.image_valence.mean == -0.2
    assert trend.image_weight == 0.6
    assert trend.mood["joy"].mean == 0.6 and set(trend.mood) == set(EMOTION_GROUPS)


def test_abstained_posts_count_as_posts_but_not_as_moods() -> None:
    trend = a_tally([a_reading(abstained=True, valence=-1.0)]).trend(KEY, 0, 300, "final")

    assert trend.posts == trend.abstained == 1
    assert (trend.share_negative.low, trend.share_negative.high) == (0, 1)
    assert (trend.valence.low, trend.valence.high) == (-1, 1)


def test_exemplars_are_the_worst_with_room_for_images_and_one_of_each_cluster() -> None:
    texts = [a_reading(post_id=f"t{i}", valence=-0.9 + i / 100) for i in range(8)]
    copies = [a_reading(post_id=f"c{i}", valence=-0.99, cluster_id="same") for i in range(8)]
    images = [an_image_reading(post_id=f"i{i}", valence=0.1 * i) for i in range(3)]
    exemplars = a_tally([*images, *texts, *copies]).exemplars

    assert [e.post_id for e in exemplars] == ["c0", "t0", "t1", "i0", "i1"]
    assert [bool(e.thumbnail) for e in exemplars] == [False, False, False, True, True]


def test_slices_other_than_all_hold_no_exemplars() -> None:
    reading = a_reading(channel="reddit", brands=("Nova", "Orion", "Nova"))
    found = dict(samples_by_key(reading, ("channel", "lang")))

    assert sorted(found) == [
        (brand, *part)
        for brand in ("Nova", "Orion")
        for part in (("*", "*", "*"), ("*", "en", "*"), ("reddit", "*", "*"))
    ]
    assert found["Nova", "reddit", "*", "*"].exemplar is None
    assert found["Nova", "*", "*", "*"].exemplar is not None


def test_a_tally_of_the_last_release_is_gone_on_from() -> None:
    old = msgspec.msgpack.decode(encode_tally(a_tally(POSTS)))
    del old["drawn"], old["shown"]
    tally = decode_tally(msgspec.msgpack.encode(old))
    tally.learn_one(samples(POSTS)[0])

    assert tally.posts == len(POSTS) + 1
    assert tally.trend(KEY, NOON, NOON + 300, "final").echo is None


def test_many_posts_leave_a_small_tally() -> None:
    assert len(encode_tally(a_tally(a_stream(3600, 60, calm, seed=2)))) < 40_000


def test_groups_hold_each_label_once_and_take_the_likeliest() -> None:
    labels = [label for group in EMOTION_GROUPS.values() for label in group]
    groups = dict(zip(EMOTION_GROUPS, group_probabilities({"joy": 0.2, "love": 0.7}), strict=True))

    assert len(EMOTIONS) == len(labels) == 28 and set(labels) == set(EMOTIONS)
    assert groups["joy"] == 0.7 and groups["anger"] == 0
    assert leading_emotion({"love": 0.7, "joy": 0.7}) == "joy"


def test_labels_are_those_of_the_model() -> None:
    labels = pytest.importorskip("models.labels")

    assert labels.EMOTIONS == EMOTIONS


def test_equal_priorities_do_not_depend_on_order() -> None:
    rng = random.Random(4)
    shuffled = [*POSTS, *POSTS]
    rng.shuffle(shuffled)

    assert a_tally(shuffled).trend(KEY, 0, 300, "final") == a_tally([*POSTS, *POSTS]).trend(
        KEY, 0, 300, "final"
    )
