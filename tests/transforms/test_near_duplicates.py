import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.near_duplicates import cluster_id

SHARK = "OMG a shark swims down the street in New Jersey, look at this picture from today"


@pytest.mark.parametrize(
    "repost",
    [
        f"RT @jo: {SHARK}",
        f"RT @jo RT @doe: {SHARK.upper()}!!!",
        f"{SHARK} https://t.co/abc @you @me",
        SHARK.replace(",", " -"),
    ],
)
def test_a_repost_shares_the_cluster_of_its_original(repost: str) -> None:
    assert cluster_id(repost) == cluster_id(SHARK)


def test_most_reposts_with_one_changed_word_share_the_cluster() -> None:
    words = SHARK.split()
    edits = [" ".join([*words[:n], "really", *words[n:]]) for n in range(len(words))]

    assert sum(cluster_id(edit) == cluster_id(SHARK) for edit in edits) >= len(edits) * 0.6


def test_different_texts_have_different_clusters() -> None:
    texts = [f"the number {n} bus is late again and I am {n * 7} minutes late" for n in range(200)]

    assert len({cluster_id(" ".join(text.split()[1:4])) for text in texts}) == 200
    assert cluster_id(SHARK) != cluster_id("My new phone arrived today and I love its camera")


def test_short_texts_cluster_with_their_equals_alone() -> None:
    assert cluster_id("Good morning!") == cluster_id("good MORNING")
    assert cluster_id("good morning") != cluster_id("good evening")


def test_scripts_without_spaces_cluster_by_character() -> None:
    post = "快递又迟到了太失望了再也不买了"

    assert cluster_id(f"{post}！") == cluster_id(post) != cluster_id("这双鞋真好看我很喜欢它的颜色")


@given(st.text())
def test_an_id_is_sixteen_hex_digits_or_nothing(text: str) -> None:
    assert len(cluster_id(text)) in {0, 16}
    assert cluster_id(text) == cluster_id(text)
