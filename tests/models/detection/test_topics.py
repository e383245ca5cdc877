import random

import pytest

from models.detection.topics import Grouping, likeness, name_of, strongest, words_of

BAGS = [
    ("airport", "bag", "lost"),
    ("bag", "desk", "lost"),
    ("bag", "lost", "waiting"),
    ("airport", "bag", "desk"),
]
LOGO = [("logo", "new", "ugly"), ("logo", "new"), ("logo", "rebrand", "ugly")]


def test_texts_that_share_telling_words_are_one_group() -> None:
    grouping = Grouping([*BAGS, *LOGO, ("unheard",), ()])

    assert grouping.groups == [[0, 1, 2, 3], [4, 5, 6], [7], [8]]


def test_a_hashtag_is_the_word_that_it_holds() -> None:
    assert words_of(("#lostbag", "bag", "lostbag")) == ("bag", "lostbag")


def test_nothing_and_one_text_are_no_trouble() -> None:
    assert Grouping([]).groups == []
    assert Grouping([("alone",)]).groups == [[0]]


def test_weights_are_of_unit_length_and_compare_groups() -> None:
    grouping = Grouping([*BAGS, *LOGO])
    bags, logo = (grouping.weights(group) for group in grouping.groups)

    assert likeness(bags, bags) == pytest.approx(1, abs=1e-5)
    assert likeness(bags, logo) == 0
    assert next(iter(bags)) in {"bag", "lost"}


def test_the_most_central_text_shares_most_with_its_group() -> None:
    grouping = Grouping([*LOGO, *BAGS])

    assert grouping.central([3, 4, 5, 6])[0] != 5  # "waiting" is said by nobody else


def test_weights_that_are_kept_are_the_heaviest() -> None:
    words = {f"word{n:02}": n / 100 for n in range(1, 41)}
    random.Random(1).shuffle(names := list(words))

    kept = strongest({name: words[name] for name in names})

    assert list(kept) == [f"word{n}" for n in range(40, 24, -1)]


def test_a_group_is_named_by_what_it_says_more_often_than_others() -> None:
    seen = {"bag": 9, "lost": 8, "flight": 9, "airport": 3, "typo": 1}
    elsewhere = {"flight": 500, "airport": 20, "lost": 4}

    assert name_of(seen, 10, elsewhere, 600) == ("bag", "lost", "airport")


def test_a_group_that_says_nothing_of_its_own_has_no_name() -> None:
    assert name_of({"flight": 3}, 10, {"flight": 400}, 600) == ()
