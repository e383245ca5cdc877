"""Facts about the echo of a window: the same in any order, and about the posts that were drawn."""

import random

from schemas.records import Reading, Trend
from tests.builders import a_reading, at, final_trends
from transforms.echo import MAX_DRAWN, MAX_SHOWN, echo_of
from transforms.samples import samples_by_key
from transforms.tally import Tally

KEY = ("Nova", "*", "*", "*")


def readings(copies: int, accounts: int, others: int) -> list[Reading]:
    """So many copies of one text by so many accounts, among others by as many people."""
    return [
        a_reading(
            post_id=f"c{n}", author=f"bot-{n % accounts}", cluster_id="same", text="Free phones"
        )
        for n in range(copies)
    ] + [a_reading(post_id=f"o{n}", author=f"author-{n}") for n in range(others)]


def a_window(posts: list[Reading]) -> Trend:
    tally = Tally()
    for reading in posts:
        tally.learn_one(dict(samples_by_key(reading, ("lang",)))[KEY])
    return tally.trend(KEY, 0, 300, "final")


def test_the_leading_text_is_counted_with_its_authors() -> None:
    echo = a_window(readings(12, 3, 20)).echo

    assert echo is not None
    assert (echo.sampled, echo.posts, echo.authors, echo.voices) == (32, 12, 3, 23)
    assert echo.exemplar is None or echo.exemplar.text == "Free phones"


def test_any_order_gives_the_same_echo() -> None:
    posts = readings(60, 7, 90)
    expected = a_window(posts)
    for seed in range(3):
        random.Random(seed).shuffle(posts)
        assert a_window(posts) == expected


def test_a_large_window_is_drawn_from_uniformly() -> None:
    echo = a_window(readings(400, 400, 400)).echo

    assert echo is not None and echo.sampled == MAX_DRAWN
    assert 20 <= echo.posts <= 44
    assert echo.exemplar is not None and echo.exemplar.text == "Free phones"


def test_a_window_without_repetition_has_an_echo_of_one() -> None:
    echo = a_window(readings(0, 1, 10)).echo

    assert echo is not None and (echo.posts, echo.authors, echo.exemplar) == (1, 1, None)


def test_other_slices_have_none() -> None:
    tally = Tally()
    for reading in readings(5, 2, 5):
        tally.learn_one(dict(samples_by_key(reading, ("lang",)))["Nova", "*", "en", "*"])

    assert tally.trend(("Nova", "*", "en", "*"), 0, 300, "final").echo is None


def test_a_sample_that_an_earlier_release_began_is_none() -> None:
    draws = [(n, 1, 2) for n in range(9)]

    assert echo_of(draws, [], posts=10) is None
    assert echo_of(draws, [], posts=9) is not None
    assert echo_of([], [], posts=0) is None


def test_few_exemplars_are_kept() -> None:
    tally = Tally()
    for reading in readings(100, 100, 100):
        tally.learn_one(dict(samples_by_key(reading, ()))[KEY])

    assert (len(tally.drawn), len(tally.shown)) == (MAX_DRAWN, MAX_SHOWN)


def test_trends_of_the_stage_hold_it() -> None:
    trends = final_trends([a_reading(post_id=str(n), created_at=at(n)) for n in range(5)])

    assert all(trend.echo is not None for trend in trends)
