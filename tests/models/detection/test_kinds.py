"""Facts about kinds of alert: which one an incident is, what it grows into, whom it is told."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.detection.decline import DECLINE
from models.detection.echoes import CAMPAIGN, VIRAL
from models.detection.incident import Incident
from models.detection.incidents import Watch
from models.detection.kinds import ALONE, HIGHEST_SEVERITY, RANKS, kind_of, size_of, sustains
from models.detection.mood_detector import IMAGES, NEGATIVITY, VOLUME
from models.detection.rhythm import SILENCE
from schemas.records import Signal, Trend
from tests.builders import NOON
from tests.trends import (
    DAY,
    MEDIUM,
    WIDTH,
    a_trend,
    a_usual_trend,
    an_echo,
    incidents_of,
    replaced,
    usual_trends,
)

ANGER = "emotion_anger"


def story(first: int, last: int, days: float = 1.5, seed: int = 1, **changes: Any) -> list[Trend]:
    """Usual windows, those from `first` up to `last` with changes."""
    draw = np.random.default_rng(seed)
    trends = usual_trends(int(days * DAY), seed)
    return replaced(trends, first, last, lambda number: a_usual_trend(number, draw, **changes))


def kinds_of(trends: list[Trend]) -> list[str]:
    return [incident.kind for incident in incidents_of(trends)]


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10_000))
def test_a_week_of_noise_tells_nothing(seed: int) -> None:
    assert kinds_of(usual_trends(7 * DAY, seed)) == []


@pytest.mark.parametrize("seed", range(3))
def test_a_risen_emotion_waits_a_window_and_is_named(seed: int) -> None:
    (shift,) = incidents_of(story(DAY, DAY + 12, seed=seed, moods={"fear": 0.5}))

    assert shift.kind == "emotion_shift" and shift.emotion == "fear"
    assert shift.opened == NOON + (DAY + 1) * WIDTH
    assert "emotion_fear" in shift.signals


def test_an_emotion_that_rises_in_one_window_alone_is_not_told() -> None:
    assert kinds_of(story(DAY, DAY + 1, moods={"fear": 0.9})) == []


def test_one_text_of_most_people_is_a_viral_post_with_that_text_first() -> None:
    trends = story(DAY, DAY + 6, posts=90, echo=an_echo(90, 50, 50, voices=64))
    (viral,) = incidents_of(trends)

    assert viral.kind == "viral_post"
    assert viral.echoed is not None and viral.severity <= HIGHEST_SEVERITY["viral_post"]


def test_copies_by_few_accounts_are_a_campaign() -> None:
    echo = an_echo(60, 30, 4, voices=34)

    assert kinds_of(story(DAY, DAY + 6, posts=60, authors=34, echo=echo)) == [
        "coordinated_campaign"
    ]


def test_a_slow_fall_is_a_sustained_decline() -> None:
    (decline,) = incidents_of(story(3 * DAY, 4 * DAY, days=4, mean=0.02))

    assert decline.kind == "sustained_decline"
    assert set(decline.signals) == {DECLINE}


def test_attention_grows_into_a_crisis_but_not_into_other_attention() -> None:
    calm = story(DAY, DAY + 3, posts=120)
    bad = a_usual_trend(DAY + 3, np.random.default_rng(5), posts=120, negative_authors=80)
    spread = a_usual_trend(
        DAY + 3, np.random.default_rng(5), posts=120, echo=an_echo(120, 60, 60, voices=64)
    )

    assert kinds_of([*calm[: DAY + 2], bad]) == ["volume_spike", "crisis"]
    assert kinds_of([*calm[: DAY + 2], spread]) == ["volume_spike"]


@pytest.mark.parametrize("name", [ANGER, VIRAL, CAMPAIGN, DECLINE])
def test_new_signals_keep_no_crisis_alive(name: str) -> None:
    kind = kind_of([name])

    assert kind is not None and sustains(kind, name)
    assert not sustains("crisis", name)
    assert all(sustains(kind, old) for old in (VOLUME, NEGATIVITY, IMAGES))


def test_what_explains_most_names_the_incident() -> None:
    assert kind_of([VOLUME, VIRAL, ANGER]) == "viral_post"
    assert kind_of([VOLUME, VIRAL, CAMPAIGN]) == "coordinated_campaign"
    assert kind_of([NEGATIVITY, VIRAL, ANGER]) == "negativity_surge"
    assert {kind for _, kind in ALONE} < set(RANKS)


def test_sizes_are_shares_of_the_largest() -> None:
    signals = [
        Signal(name=SILENCE, value=0.0, expected=9999.0, score=6.0),
        Signal(name=VOLUME, value=160.0, expected=10.0, score=6.0),
        Signal(name=ANGER, value=0.4, expected=0.1, score=6.0),
    ]

    assert [size_of(signal) for signal in signals] == pytest.approx([1.0, 1.0, 0.5])


def test_the_mood_that_is_back_after_a_crisis_is_told_once() -> None:
    crisis, notice = incidents_of(story(DAY, DAY + 9, posts=120, negative_authors=80))

    assert (crisis.kind, notice.kind) == ("crisis", "recovery")
    assert notice.after == "crisis" and notice.since == crisis.closed
    assert notice.closed == notice.opened and notice.severity == 1
    signal = notice.signals[NEGATIVITY]
    assert signal.expected == pytest.approx(0.1, abs=0.05)
    assert signal.value < signal.expected + 0.1


def test_silence_by_day_is_an_incident_once_posts_are_back() -> None:
    trends = usual_trends(5 * DAY)
    incidents = incidents_of([*trends[: 4 * DAY], *trends[4 * DAY + 36 :]])

    assert [incident.kind for incident in incidents] == ["feed_silent"]
    assert incidents[0].since == NOON + 4 * DAY * WIDTH
    assert incidents[0].closed == NOON + (4 * DAY + 37) * WIDTH
    assert incidents[0].since < incidents[0].opened < incidents[0].since + 36 * WIDTH


def test_a_busy_morning_is_no_spike_once_days_are_known() -> None:
    draw = np.random.default_rng(8)
    means = [2 + 60 * np.exp(-(((n % DAY - DAY // 2) / 30) ** 2)) for n in range(10 * DAY)]
    trends = [
        a_usual_trend(number, draw, posts=1 + int(draw.poisson(mean)))
        for number, mean in enumerate(means, start=1)
    ]
    opened = [i.opened for i in incidents_of(trends) if i.kind == "volume_spike"]

    assert opened and max(opened) < NOON + 6 * 86_400


def test_severity_that_crosses_a_step_is_an_escalation() -> None:
    incident = Incident(kind="negativity_surge", since=NOON, opened=NOON, last_hot=NOON)
    weak = Signal(name=NEGATIVITY, value=0.3, expected=0.1, score=3.0)
    strong = Signal(name=NEGATIVITY, value=0.9, expected=0.1, score=40.0)

    incident.learn_one(a_trend(1), [weak])
    assert incident.severity < 4 and not incident.is_escalated

    incident.learn_one(a_trend(2), [strong])
    assert incident.severity >= 7 and incident.is_escalated


def test_state_of_the_last_release_is_gone_on_from() -> None:
    """It holds neither the new parts of the detector nor those of incidents."""
    watch = Watch()
    for trend in story(DAY, DAY + 9, posts=120, negative_authors=80)[: DAY + 4]:
        watch.learn_one(trend, MEDIUM, WIDTH)
    assert watch.incident is not None
    old = msgspec.to_builtins(watch)
    for name in ("pending", "aftermath", "budget"):
        del old[name]
    for name in ("emotions", "decline", "echoes", "rhythm"):
        del old["detector"][name]
    for name in ("opening_severity", "echoed", "after", "muted", "folded", "usual_negative"):
        del old["incident"][name]

    read = msgspec.msgpack.decode(msgspec.msgpack.encode(old), type=Watch)
    for trend in usual_trends(2 * DAY)[DAY + 4 :]:
        read.learn_one(trend, MEDIUM, WIDTH)

    assert read.detector.learned == watch.detector.learned + DAY - 4
    assert read.incident is None and read.detector.emotions.groups


def test_state_is_bounded() -> None:
    watch = Watch()
    sizes = []
    for number, trend in enumerate(usual_trends(6 * DAY)):
        watch.learn_one(trend, MEDIUM, WIDTH)
        if number % DAY == DAY - 1:
            sizes.append(len(msgspec.msgpack.encode(watch)))

    assert max(sizes) < 12_000
    assert sizes[-1] < 1.1 * sizes[2]


def test_rules_that_differ_only_in_who_is_told_open_the_same() -> None:
    trends = story(DAY, DAY + 9, posts=120)
    silent = msgspec.structs.replace(MEDIUM, maintenance=((NOON, NOON + 2 * 86_400),))
    spent = msgspec.structs.replace(MEDIUM, daily_budget=1)
    (told,), (muted,) = incidents_of(trends), incidents_of(trends, silent)

    assert (told.muted, muted.muted) == ("", "maintenance")
    assert (told.opened, told.closed) == (muted.opened, muted.closed)
    assert incidents_of(trends, spent)[0].muted == ""


def test_what_still_goes_on_after_maintenance_is_told() -> None:
    trends = story(DAY, DAY + 20, posts=120)
    end = NOON + (DAY + 6) * WIDTH
    rules = msgspec.structs.replace(MEDIUM, maintenance=((NOON, end),))

    assert incidents_of(trends, rules)[0].muted == ""
    assert incidents_of(trends[: DAY + 4], rules)[0].muted == "maintenance"


def test_alerts_over_the_budget_are_counted_on_the_next_that_is_told() -> None:
    draw = np.random.default_rng(3)
    trends = usual_trends(2 * DAY)
    for first in (80, 120, 160, 200, DAY + 200):
        trends = replaced(
            trends, first, first + 3, lambda number: a_usual_trend(number, draw, posts=150)
        )
    rules = msgspec.structs.replace(MEDIUM, daily_budget=1)
    incidents = incidents_of(trends, rules)

    assert [incident.kind for incident in incidents] == ["volume_spike"] * 5
    assert [incident.muted for incident in incidents] == ["", "budget", "", "budget", ""]
    assert [incident.folded for incident in incidents] == [0, 0, 1, 0, 1]


def test_a_cool_down_keeps_the_next_one_shut() -> None:
    trends = story(80, 83, days=1, posts=150)
    trends = replaced(
        trends, 100, 103, lambda number: a_usual_trend(number, np.random.default_rng(4), posts=150)
    )
    rules = msgspec.structs.replace(MEDIUM, cool_down_seconds=4 * 3600)

    assert len(incidents_of(trends)) == 2
    assert len(incidents_of(trends, rules)) == 1
