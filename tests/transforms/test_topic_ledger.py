import random
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from models.detection.topic_memory import HOUR_SECONDS, TopicHour
from schemas.records import OTHER, Alert
from tests.builders import NOON, at
from tests.topics import BAGS, USUAL, about, an_hour, terms, usual_hours
from transforms.ledger import Maintenance
from transforms.topic_ledger import Told, TopicLedger, TopicTerms

HOUR = HOUR_SECONDS
TERMS = terms()


def with_bags(hour: int, posts: int = 12, *, final: bool = True, valence: float = 0.2) -> TopicHour:
    bags = about(BAGS, hour, posts, valence=valence)
    return an_hour(hour, [*about(USUAL, hour, 24), *bags], final=final)


STORY = [*usual_hours(5), with_bags(5), with_bags(6, 20), *usual_hours(6, first=7)]


def end_of(hour: int) -> int:
    return NOON + (hour + 1) * HOUR


def on_time(hour: TopicHour) -> TopicHour:
    return msgspec.structs.replace(hour, final=False)


def told_of(
    hours: list[TopicHour], settings: TopicTerms = TERMS, provisional: list[TopicHour] | None = None
) -> list[Told]:
    """All that is told where each hour is seen at its end, and again as final an hour later."""
    ledger, told = TopicLedger(brand="Nova"), []
    for first, final in zip(provisional or hours, hours, strict=True):
        ledger.learn_one(on_time(first))
        told.append(ledger.advance(first.end, settings))
        ledger.learn_one(final)
        told.append(ledger.advance(final.end + HOUR + 1, settings))
    told.append(ledger.advance(hours[-1].end + 100 * HOUR, settings))
    return told


def alerts_of(told: list[Told]) -> list[Alert]:
    return [alert for one in told for alert in one.alerts]


def finals(told: list[Told]) -> tuple[list[Any], list[Any]]:
    topics = [topic for one in told for topic in one.topics if topic.final]
    alerts = [alert for alert in alerts_of(told) if alert.final]
    return sorted(topics, key=lambda t: t.key), sorted(alerts, key=lambda a: a.alert_id)


def test_a_new_topic_opens_grows_and_is_resolved_when_it_is_gone() -> None:
    states = alerts_of(told_of(STORY))

    assert [s.status for s in states] == ["firing", "firing", "resolved", "resolved"]
    opened, grown, resolved, final = states
    assert len(grown.evidence) > len(opened.evidence)
    assert opened.kind == "new_topic" and opened.since == at(5 * HOUR)
    assert opened.updated_at == at(6 * HOUR)
    assert "luggage" in opened.cause_terms and "luggage" in opened.title
    assert any("luggage" in post.text for post in opened.evidence)
    assert resolved.resolved_at == at(10 * HOUR)  # three hours after the last that it was in
    assert final.final and final.revision > resolved.revision > opened.revision
    assert "20 posts by 20 people" in final.title


def test_topics_are_told_on_time_and_once_as_final() -> None:
    told = [topic for one in told_of(STORY) for topic in one.topics]
    bags = [topic for topic in told if "luggage" in topic.terms]

    assert [(t.window_start, t.timing) for t in bags] == [
        (at(hour * HOUR), timing) for hour in (5, 6) for timing in ("on_time", "final")
    ]
    assert {t.is_new for t in bags} == {True} and bags[0].posts == 12
    assert bags[0].posts_of_hour == 36 and bags[-1].first_seen == at(5 * HOUR)
    assert len({t.topic_id for t in bags}) == 1


def test_what_is_in_no_topic_is_told_as_other() -> None:
    (told,) = told_of([an_hour(0, [*about(USUAL, 0, 24), *about(BAGS, 0, 2)])])[:1]
    other = told.topics[-1]

    assert other.topic_id == OTHER and other.terms == ()
    assert sum(topic.posts for topic in told.topics) == 26 == other.posts_of_hour


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False))
def test_final_records_do_not_depend_on_the_order_of_panes(chance: random.Random) -> None:
    expected = finals(told_of(STORY))
    panes = [*STORY, *(on_time(hour) for hour in STORY)]
    chance.shuffle(panes)
    ledger, told = TopicLedger(brand="Nova"), []
    for number, pane in enumerate(panes):
        ledger.learn_one(pane)
        if number % 5 == 0:  # the watermark stands while panes come
            told.append(ledger.advance(NOON, TERMS))
    for end in range(NOON, end_of(40), HOUR):
        told.append(ledger.advance(end, TERMS))

    assert finals(told) == expected


def test_late_posts_that_undo_a_topic_withdraw_its_alert_and_empty_its_record() -> None:
    undone = [*usual_hours(5), an_hour(5, about(USUAL, 5, 2000))]
    provisional = [*usual_hours(5), with_bags(5)]
    told = told_of(undone, provisional=provisional)
    states = [(a.status, a.final) for a in alerts_of(told)]
    bags = [t for one in told for t in one.topics if "luggage" in t.terms]

    assert states == [("firing", False), ("withdrawn", False)]
    assert [(t.posts, t.final) for t in bags] == [(12, False), (0, False)]


def test_an_alert_that_comes_back_after_it_was_withdrawn_is_told_anew() -> None:
    ledger, told = TopicLedger(brand="Nova"), []
    for hour in usual_hours(5):
        ledger.learn_one(hour)
        told.append(ledger.advance(hour.end, TERMS))
    panes = [with_bags(5), an_hour(5, about(USUAL, 5, 2000)), with_bags(5)]
    for pane, posts in zip(panes, (36, 37, 38), strict=True):
        ledger.learn_one(msgspec.structs.replace(pane, final=False, pane=posts))
        told.append(ledger.advance(end_of(5), TERMS))
    states = alerts_of(told)

    assert [state.status for state in states] == ["firing", "withdrawn", "firing"]
    assert [state.revision for state in states] == [1001, 1002, 1003]
    assert len({state.alert_id for state in states}) == 1


def test_late_posts_that_make_a_topic_open_its_alert() -> None:
    told = told_of([*usual_hours(5), with_bags(5)], provisional=usual_hours(6))

    assert next(a.status for a in alerts_of(told)) == "firing"
    assert finals(told) == finals(told_of([*usual_hours(5), with_bags(5)]))


def test_too_few_people_or_too_small_a_part_of_the_hour_open_nothing() -> None:
    few = told_of([*usual_hours(5), with_bags(5, posts=9)])
    small = an_hour(5, [*about(USUAL, 5, 150), *about(BAGS, 5, 12)])

    assert alerts_of(few) == [] and alerts_of(told_of([*usual_hours(5), small])) == []


def test_a_topic_that_begins_small_opens_once_it_is_large_and_once_only() -> None:
    hours = [*usual_hours(5), with_bags(5, 4), with_bags(6, 16), *usual_hours(4, first=7)]
    again = [with_bags(11, 16), *usual_hours(5, first=12)]
    opened = [a for a in alerts_of(told_of([*hours, *again])) if a.final]

    assert [a.since for a in opened] == [at(5 * HOUR)]


def test_severity_is_low_unless_people_are_angry() -> None:
    (calm,), (angry,) = (
        finals(told_of([*usual_hours(5), with_bags(5, valence=v)]))[1] for v in (0.2, -0.8)
    )

    assert calm.severity <= 4 < angry.severity <= 7
    assert (calm.playbook, angry.playbook) == ("new-topic", "new-topic-negative")
    assert "100% negative" in angry.title


def test_budget_and_maintenance_mute() -> None:
    logo = ["that new logo is ugly {}", "ugly logo, who drew it {}", "new logo of a bank {}"]
    hour = an_hour(5, [*about(USUAL, 5, 24), *about(BAGS, 5, 14), *about(logo, 5, 12)])
    spent = finals(told_of([*usual_hours(5), hour], terms(daily_budget=1)))[1]
    span = Maintenance("Nova", end_of(4), end_of(6))
    quiet = finals(told_of(STORY[:6], terms(maintenance=(span,))))[1]
    elsewhere = Maintenance("Orion", end_of(4), end_of(6))

    assert sorted(alert.muted for alert in spent) == [False, True]
    assert [alert.muted for alert in quiet] == [True]
    assert not finals(told_of(STORY[:6], terms(maintenance=(elsewhere,))))[1][0].muted


def test_state_survives_its_coder() -> None:
    ledger = TopicLedger(brand="Nova")
    for hour in STORY[:7]:
        ledger.learn_one(hour)
        ledger.advance(hour.end, TERMS)
    data = msgspec.msgpack.encode(ledger)

    assert msgspec.msgpack.encode(msgspec.msgpack.decode(data, type=TopicLedger)) == data
    assert len(data) < 60_000
