"""Facts about what a ledger tells of silence, maintenance and budgets, in any order of panes."""

import random
from functools import partial
from typing import Any

import msgspec
import pytest

from models.detection.incidents import epoch
from schemas.records import Alert, Trend, decode, encode
from tests.builders import NOON
from tests.trends import DAY, MEDIUM, WIDTH, a_trend, an_echo, replaced, usual_trends
from transforms.ledger import Ledger, Maintenance, Terms
from transforms.playbooks import default_playbooks

TERMS = Terms(rules=MEDIUM, playbooks=default_playbooks(), period=WIDTH, lateness=600, is_live=True)
BOUNDED = msgspec.structs.replace(TERMS, is_live=False)
QUIET_DAYS = usual_trends(4 * DAY)
LAST = NOON + 4 * DAY * WIDTH
OUTAGE = [*QUIET_DAYS, *usual_trends(30, first=4 * DAY + 37)]


class Player:
    """A ledger that windows reach on time, and as final once nothing can change them."""

    def __init__(self, terms: Terms = TERMS) -> None:
        self.terms = terms
        self.ledger = Ledger(brand="Nova")
        self.told: list[Alert] = []
        self.waiting: list[Trend] = []

    def play(self, trends: list[Trend]) -> None:
        for trend in trends:
            now = epoch(trend.window_end)
            while self.waiting and epoch(self.waiting[0].window_end) + 600 < now:
                self.ledger.learn_one(self.waiting.pop(0))
            self.waiting.append(trend)
            self.ledger.learn_one(msgspec.structs.replace(trend, timing="on_time", final=False))
            self.advance(now)

    def advance(self, now: int) -> list[Alert]:
        news = self.ledger.advance(now, self.terms)
        self.told += news
        return news

    def finish(self) -> list[Alert]:
        for trend in self.waiting:
            self.ledger.learn_one(trend)
        while (moment := self.ledger.next_commit(self.terms)) is not None:
            self.advance(moment)
        return [alert for alert in self.told if alert.final]


def at_once(trends: list[Trend], terms: Terms) -> list[Alert]:
    """Final alerts of windows that come in no order, all before the watermark moves."""
    shuffled = list(trends)
    random.Random(1).shuffle(shuffled)
    ledger, told = Ledger(brand="Nova"), list[Alert]()
    for trend in shuffled:
        ledger.learn_one(trend)
    while (moment := ledger.next_commit(terms)) is not None:
        told += ledger.advance(moment, terms)
    return [alert for alert in told if alert.final]


@pytest.fixture(scope="module")
def before_the_outage() -> bytes:
    """A ledger after four quiet days."""
    player = Player()
    player.play(QUIET_DAYS)
    assert player.told == []
    return msgspec.msgpack.encode(player.ledger)


def waiting(state: bytes, terms: Terms = TERMS) -> Player:
    player = Player(terms)
    player.ledger = msgspec.msgpack.decode(state, type=Ledger)
    player.waiting = QUIET_DAYS[-3:]
    return player


def test_silence_is_told_while_it_lasts_and_once(before_the_outage: bytes) -> None:
    player = waiting(before_the_outage)
    moment = player.ledger.idle_at
    assert moment is not None and LAST < moment < LAST + 3600

    (silence,) = player.advance(moment)

    assert (silence.kind, silence.status, silence.muted) == ("feed_silent", "firing", False)
    assert epoch(silence.since) == LAST and epoch(silence.updated_at) == moment - 1
    assert silence.playbook == "feed-silent" and "no post for" in silence.title
    assert player.ledger.idle_at is None
    assert player.advance(moment + 3600) == []


def test_silence_is_over_with_the_first_post(before_the_outage: bytes) -> None:
    player = waiting(before_the_outage)
    player.advance(LAST + 36 * WIDTH)
    player.play(OUTAGE[4 * DAY :])
    finals = player.finish()

    states = [(a.status, a.final) for a in player.told]
    assert states == [("firing", False), ("resolved", False), ("resolved", True)]
    assert len({alert.alert_id for alert in player.told}) == 1
    assert [alert.revision for alert in player.told] == sorted(a.revision for a in player.told)
    assert finals == at_once(OUTAGE, TERMS)


def test_the_end_of_a_file_is_no_silence(before_the_outage: bytes) -> None:
    player = waiting(before_the_outage, BOUNDED)

    assert player.advance(LAST + 5 * 86_400) == []
    assert player.ledger.idle_at is None


def test_history_ends_in_the_same_alerts_as_the_live_run(before_the_outage: bytes) -> None:
    live = waiting(before_the_outage)
    live.advance(LAST + 36 * WIDTH)
    live.play(OUTAGE[4 * DAY :])

    assert live.finish() == at_once(OUTAGE, BOUNDED)


def test_late_posts_that_shorten_a_silence_withdraw_it(before_the_outage: bytes) -> None:
    player = waiting(before_the_outage)
    opened = player.ledger.idle_at
    assert opened is not None
    (silence,) = player.advance(opened)
    late = a_trend(4 * DAY + (opened - LAST) // WIDTH - 1, timing="late", final=False)
    player.ledger.learn_one(late)
    news = player.advance(opened)

    assert [(a.alert_id, a.status, a.final) for a in news] == [
        (silence.alert_id, "withdrawn", False)
    ]


@pytest.mark.parametrize(("brand", "muted"), [("Nova", True), (None, True), ("Orion", False)])
def test_maintenance_mutes_the_brand_that_it_names(brand: str | None, muted: bool) -> None:
    span = Maintenance(brand, NOON, NOON + 86_400)
    terms = msgspec.structs.replace(TERMS, maintenance=(span,))
    trends = replaced(usual_trends(60), 40, 44, lambda number: a_trend(number, posts=150))
    player = Player(terms)
    player.play(trends)

    assert [alert.muted for alert in player.told if alert.kind == "volume_spike"]
    assert all(alert.muted == muted for alert in player.told)


def with_changes(changes: dict[str, Any], number: int) -> Trend:
    return a_trend(number, **changes)


def every_kind() -> list[Trend]:
    """A day and a half with one incident after another."""
    trends = usual_trends(3 * DAY // 2)
    changes: dict[int, dict[str, Any]] = {
        60: {"posts": 150},
        100: {"posts": 90, "echo": an_echo(90, 50, 50, voices=64)},
        140: {"posts": 60, "authors": 34, "echo": an_echo(60, 30, 4, voices=34)},
        180: {"moods": {"fear": 0.6}},
        260: {"posts": 240, "negative_authors": 160},
    }
    for first, change in changes.items():
        trends = replaced(trends, first, first + 8, partial(with_changes, change))
    return trends


def test_final_alerts_of_every_kind_do_not_depend_on_the_order() -> None:
    trends = every_kind()
    terms = msgspec.structs.replace(
        BOUNDED, rules=msgspec.structs.replace(MEDIUM, daily_budget=2, cool_down_seconds=900)
    )
    player = Player(terms)
    player.play(trends)
    finals = player.finish()

    assert finals == at_once(trends, terms)
    assert {alert.kind for alert in finals} >= {
        "volume_spike",
        "viral_post",
        "coordinated_campaign",
        "emotion_shift",
        "crisis",
        "recovery",
    }


def test_what_an_alert_says_fits_its_kind() -> None:
    finals = {alert.kind: alert for alert in at_once(every_kind(), BOUNDED)}

    assert "fear at 60%" in finals["emotion_shift"].title
    assert "one text shared by" in finals["viral_post"].title
    assert finals["viral_post"].evidence[0].text == "Only 3 left, claim yours"
    assert "copy one text" in finals["coordinated_campaign"].title
    assert finals["recovery"].title.endswith("the mood is back after the crisis")
    assert finals["recovery"].evidence == ()
    assert all(decode(encode(alert), Alert) == alert for alert in finals.values())


def test_alerts_of_the_last_release_are_read() -> None:
    alert = at_once(every_kind(), BOUNDED)[0]
    old = msgspec.to_builtins(alert)
    for name in ("escalated", "muted", "folded"):
        del old[name]

    assert decode(msgspec.json.encode(old), Alert) == alert
