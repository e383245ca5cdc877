import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.text_preparation import prepare_text, split_hashtag

# Signs that the steps of preparation look for, joined in every order.
POST_PARTS = st.sampled_from(
    ["@anna", "#WinterIsComing", "##", "&amp;", "&amp;lt;b&gt;", "<br>", "http://t.co/x", "www."]
) | st.sampled_from(
    [
        "😂",
        "👍🏽",
        "🇩🇪",
        "#1️⃣",
        "soooo",
        "!!!!!",
        "\\n",
        "\u200b",
        "\ufe0f",
        "_",
        "@",
        "#",
        "’",
        "\ud83d",
    ]
)


@pytest.mark.parametrize(
    ("post", "prepared"),
    [
        ("@anna hi", "@user hi"),
        ("see https://t.co/abc now", "see http now"),
        ("#WinterIsComing", "winter is coming"),
        ("#BREAKINGNews2026", "breaking news 2026"),
        ("#snake_case", "snake case"),
        ("#lowercase", "lowercase"),
        ("love it 😂", "love it face with tears of joy"),
        ("👍🏽", "thumbs up medium skin tone"),
        ("soooooo good", "sooo good"),
        ("what?!!!!!!", "what?!!!"),
        ("1000000 users", "1000000 users"),
        ("Tom &amp;amp; Jerry<br/>go", "Tom & Jerry go"),
        ("a.\\n\\nB   c", "a. B c"),
        ("don’t", "don't"),
        ("@a @b @c @d ok", "@user @user ok"),
        ("I <3 you", "I <3 you"),
        ("", ""),
    ],
)
def test_a_post_becomes_model_input(post: str, prepared: str) -> None:
    assert prepare_text(post) == prepared


@given(st.one_of(st.text(), st.lists(POST_PARTS | st.text(max_size=3)).map("".join)))
@settings(max_examples=300)
def test_preparing_twice_changes_nothing(text: str) -> None:
    once = prepare_text(text)

    assert prepare_text(once) == once


@given(st.text(alphabet=st.characters(codec=None), max_size=50))
@settings(max_examples=200)
def test_any_string_becomes_text_that_can_be_encoded(text: str) -> None:
    assert prepare_text(text).encode("utf-8") is not None


def test_hashtag_words_keep_letters_of_every_script() -> None:
    assert split_hashtag("Überraschung2026") == "überraschung 2026"


FIRST_TEXTS_AT_ONCE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from models.text_preparation import prepare_text

sys.setswitchinterval(1e-6)
together = Barrier(8)

def prepare(_):
    together.wait()
    return prepare_text("tasty 🪿")

with ThreadPoolExecutor(8) as threads:
    print(set(threads.map(prepare, range(8))))
"""


def test_the_first_texts_of_a_process_are_read_like_all_others() -> None:
    found = subprocess.run(
        [sys.executable, "-c", FIRST_TEXTS_AT_ONCE], capture_output=True, text=True, check=True
    )

    assert found.stdout.strip() == "{'tasty goose'}"
