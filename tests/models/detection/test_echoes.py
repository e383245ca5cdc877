"""Facts about repeated texts: what spreads, what is copied, and what is neither."""

import msgspec
import numpy as np
import pytest

from models.detection.echoes import Echoes
from schemas.records import Trend
from tests.trends import DAY, a_trend, an_echo, usual_trends

MARGIN, LEAST = 0.10, 8


@pytest.fixture(scope="module")
def echoes() -> Echoes:
    found = Echoes()
    for trend in usual_trends(DAY):
        found.learn_one(trend)
    return found


def spread(echoes: Echoes, trend: Trend) -> float:
    found = echoes.score_spread(trend, LEAST, MARGIN)
    return found.score if found else 0.0


def copies(echoes: Echoes, trend: Trend) -> float:
    found = echoes.score_copies(trend, LEAST, MARGIN)
    return found.score if found else 0.0


def test_usual_windows_are_neither(echoes: Echoes) -> None:
    for trend in usual_trends(7 * DAY, seed=4):
        assert spread(echoes, trend) == 0 and copies(echoes, trend) == 0


def test_one_text_of_most_people_is_viral_and_no_campaign(echoes: Echoes) -> None:
    viral = a_trend(DAY, posts=40, echo=an_echo(40, 30, 30, voices=40))

    assert spread(echoes, viral) > 4
    assert copies(echoes, viral) == 0


def test_many_copies_by_few_accounts_are_a_campaign_and_not_viral(echoes: Echoes) -> None:
    campaign = a_trend(DAY, posts=60, authors=34, echo=an_echo(60, 30, 4, voices=34))

    assert copies(echoes, campaign) > 4
    assert spread(echoes, campaign) == 0


def test_a_campaign_is_seen_in_a_sample_of_a_large_window(echoes: Echoes) -> None:
    """Thirty accounts post ten times each, beside three hundred people: 64 posts are drawn."""
    draw = np.random.default_rng(2)
    drawn = draw.choice(600, 64, replace=False)
    authors = {int(post) % 30 for post in drawn if post < 300}
    in_text = int((drawn < 300).sum())
    echo = an_echo(600, in_text, len(authors), voices=64 - in_text + len(authors))

    assert copies(echoes, a_trend(DAY, posts=600, authors=330, echo=echo)) > 4


def test_a_lone_spammer_is_no_campaign(echoes: Echoes) -> None:
    spam = a_trend(DAY, posts=60, authors=31, echo=an_echo(60, 30, 1, voices=31))

    assert copies(echoes, spam) == 0


def test_talkative_people_are_no_campaign(echoes: Echoes) -> None:
    busy = a_trend(DAY, posts=60, authors=12, echo=an_echo(60, 3, 2, voices=12))

    assert copies(echoes, busy) == 0


def test_what_always_repeats_is_usual() -> None:
    echoes = Echoes()
    viral = a_trend(DAY, posts=40, echo=an_echo(40, 30, 30, voices=40))
    for _ in range(50):
        echoes.learn_one(viral)

    assert spread(echoes, viral) < 1


def test_windows_without_an_echo_say_and_teach_nothing(echoes: Echoes) -> None:
    before = msgspec.msgpack.encode(echoes)
    unknown = a_trend(DAY, echo=None)
    echoes.learn_one(unknown)

    assert spread(echoes, unknown) == 0 and copies(echoes, unknown) == 0
    assert msgspec.msgpack.encode(echoes) == before


def test_state_does_not_grow(echoes: Echoes) -> None:
    assert len(msgspec.msgpack.encode(echoes)) < 4000
