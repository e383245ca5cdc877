"""Facts about the facts of a digest."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, timedelta

import msgspec
import pytest

from pipelines.digest.days import day_of
from pipelines.digest.facts import BrandDay, compose, day_of_brand
from pipelines.digest.pooling import pool
from schemas.records import Alert, AlertFeedback, Estimate, Trend
from tests.pipelines.digest.days import (
    FRAME,
    MIDNIGHT,
    THE_DAY,
    a_day,
    a_rollup,
    a_verdict,
    a_window,
    gathered,
    incident,
    sliding,
)

DAY = day_of(THE_DAY, UTC)
Records = Iterable[Trend | Alert | AlertFeedback]


def facts(records: Records) -> BrandDay:
    return day_of_brand(gathered(records), "Nova", DAY, UTC)


def test_each_post_counts_once_though_windows_slide() -> None:
    found = facts([*sliding(MIDNIGHT, 24, posts=3)])

    assert found.posts == 288 * 3
    assert (found.windows, found.final) == (288, 288)


def test_of_a_window_the_newest_pane_counts() -> None:
    panes = [a_window(MIDNIGHT, posts=n, final=n == 9, pane_index=n) for n in (3, 9, 5)]
    found = facts([*panes])

    assert (found.posts, found.final) == (9, 1)


def test_people_are_told_of_one_window_and_never_added_up() -> None:
    between = MIDNIGHT + timedelta(hours=12, minutes=3)  # not one that posts are counted in
    found = facts([*sliding(MIDNIGHT, 13, authors=3), a_window(between, posts=50, authors=41)])

    assert (found.most_people, found.most_people_at) == (41, between)
    assert found.posts == 13 * 12 * 4


def test_the_day_is_held_against_the_week_before() -> None:
    found = facts(a_day())
    assert found.valence is not None and found.valence.change is not None
    change = found.valence.change

    assert found.posts_before == pytest.approx(288 * 4)
    assert found.valence.before is not None
    assert found.valence.before.mean == pytest.approx(0.3)
    assert found.valence.day.low < found.valence.day.mean < found.valence.day.high
    assert change.mean == pytest.approx(found.valence.day.mean - 0.3, abs=1e-5)
    assert change.high < 0


def test_days_before_the_first_window_are_no_days_without_posts() -> None:
    """Two days are known: one with 288 posts, one in which the brand was silent."""
    busy = [*sliding(MIDNIGHT - timedelta(days=2), 24, posts=1)]
    found = facts([*busy, *sliding(MIDNIGHT, 24, posts=1)])

    assert found.posts_before == pytest.approx(144)


def test_without_a_week_there_is_nothing_to_compare_with() -> None:
    found = facts([*sliding(MIDNIGHT, 24)])

    assert found.valence is not None
    assert (found.valence.before, found.valence.change, found.posts_before) == (None, None, None)


def test_estimates_are_of_posts_that_the_model_decided_on() -> None:
    sure, unsure = Estimate(0.5, 0.4, 0.6), Estimate(-1.0, -1.0, 1.0)
    found = facts(
        [
            a_window(MIDNIGHT, posts=10, valence=sure),
            a_window(MIDNIGHT + timedelta(minutes=5), posts=10, abstained=10, valence=unsure),
        ]
    )

    assert found.abstained == 10
    assert found.valence is not None and found.valence.day == sure


def test_the_best_and_the_worst_hour_have_enough_posts() -> None:
    quiet = MIDNIGHT + timedelta(hours=20)
    found = facts([*a_day(), a_window(quiet, posts=1, mean=-0.99, pane_index=99)])

    assert found.worst is not None and found.worst.start == MIDNIGHT.replace(hour=12)
    assert found.best is not None and found.best.valence is not None
    assert found.best.valence.mean == pytest.approx(0.3)
    few = facts([a_window(MIDNIGHT, posts=3)])
    assert (few.best, few.worst) == (None, None)


def test_alerts_of_the_day_stand_with_their_turns_and_verdicts() -> None:
    yesterday = [
        msgspec.structs.replace(
            state, alert_id="old", since=state.since - timedelta(days=1), resolved_at=at
        )
        for state, at in zip(incident(), [None, None, MIDNIGHT], strict=True)
    ]
    found = facts([*a_day(), *yesterday, a_verdict("another")])

    (alert,) = found.alerts
    assert (alert.alert_id, alert.status, alert.severity) == ("a1", "resolved", 6)
    assert alert.mark.opened == MIDNIGHT.replace(hour=12)
    assert alert.mark.escalated == MIDNIGHT.replace(hour=12, minute=40)
    assert alert.mark.ended == MIDNIGHT.replace(hour=14)
    assert [one.verdict for one in alert.feedback] == ["true"]


def test_an_alert_that_still_fires_belongs_to_every_day_since() -> None:
    opened = msgspec.structs.replace(incident()[0], since=MIDNIGHT - timedelta(days=3))

    assert [alert.alert_id for alert in facts([opened]).alerts] == ["a1"]


def test_order_and_repetition_change_nothing() -> None:
    records = a_day()
    again = [*reversed(records), *records[:500]]

    assert facts(again) == facts(records)


def test_a_digest_survives_its_own_encoding() -> None:
    digest = compose(gathered(a_day()), ["Nova", "Orion"], THE_DAY, FRAME, {"decode/bad": 2})

    assert msgspec.json.decode(msgspec.json.encode(digest), type=type(digest)) == digest
    assert [brand.windows for brand in digest.brands] == [288, 0]


def test_a_day_that_was_rolled_up_tells_its_own_people_and_intervals() -> None:
    windows = sliding(MIDNIGHT, 24, posts=3)
    day = a_rollup(MIDNIGHT, 24, 288 * 3, authors=500, mean=0.25)
    found = facts([*windows, day])
    assert found.valence is not None

    assert (found.people, found.posts, found.windows) == (500, 288 * 3, 288)
    assert found.valence.day == pool([(1, day.valence)])
    assert facts(windows).people is None


def test_an_hour_that_was_rolled_up_stands_for_its_windows() -> None:
    hour = a_rollup(MIDNIGHT, 1, 12 * 3, mean=0.5)
    found = facts([*sliding(MIDNIGHT, 24, posts=3), hour])

    assert found.stretches[0].valence == pool([(1, hour.valence)]) != found.stretches[1].valence
    assert found.people is None


def test_days_of_the_week_before_that_were_rolled_up_stand_for_theirs() -> None:
    before = MIDNIGHT - timedelta(days=1)
    windows = [*sliding(before, 24, posts=3), *sliding(MIDNIGHT, 24, posts=3)]
    day = a_rollup(before, 24, 288 * 3, mean=-0.4)
    found = facts([*windows, day])
    assert found.valence is not None

    assert found.valence.before == pool([(1, day.valence)])


def test_a_roll_up_that_misses_posts_is_not_believed() -> None:
    """After a start without state it knows only what came since."""
    windows = sliding(MIDNIGHT, 24, posts=3)

    assert facts([*windows, a_rollup(MIDNIGHT, 24, 288 * 3 - 1)]) == facts(windows)


def test_a_day_of_another_clock_is_no_day_of_this_one() -> None:
    windows = sliding(MIDNIGHT, 24, posts=3)
    shifted = a_rollup(MIDNIGHT - timedelta(hours=2), 24, 288 * 3)

    assert facts([*windows, shifted]) == facts(windows)
