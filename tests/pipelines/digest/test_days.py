"""Facts about days of a time zone, and the windows that fill one."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from pipelines.digest.days import apart, day_of, newest_due, weeks_days, zone_of
from tests.pipelines.digest.days import MIDNIGHT, PERIOD, THE_DAY, WIDTH, a_window, sliding

BERLIN = zone_of("Europe/Berlin")


def test_sliding_windows_of_a_day_lie_side_by_side_from_its_midnight() -> None:
    day = day_of(THE_DAY, BERLIN)
    chosen = apart(sliding(day.since - timedelta(hours=1), 26), day)
    starts = [trend.window_start for trend in chosen]

    assert starts == [day.since + n * WIDTH for n in range(288)]
    assert chosen[-1].window_end == day.until


def test_a_window_nobody_posted_in_leaves_the_others_where_they_are() -> None:
    day = day_of(THE_DAY, UTC)
    some = [t for t in sliding(MIDNIGHT, 24) if t.window_start.hour in {3, 17}]

    assert len(apart(some, day)) == 24
    assert {(t.window_start - MIDNIGHT) % WIDTH for t in apart(some, day)} == {timedelta()}


def test_windows_that_cannot_start_at_midnight_start_later_and_end_within_the_day() -> None:
    day = day_of(THE_DAY, zone_of("Asia/Kathmandu"))  # 5 h 45 min ahead
    hourly = [
        a_window(MIDNIGHT + timedelta(hours=n), window_end=MIDNIGHT + timedelta(hours=n + 1))
        for n in range(-12, 24)
    ]
    chosen = apart(hourly, day)

    assert len(chosen) == 23
    assert day.since <= chosen[0].window_start and chosen[-1].window_end <= day.until


def test_windows_of_another_width_are_not_mixed_in() -> None:
    wide = a_window(MIDNIGHT, window_end=MIDNIGHT + timedelta(hours=1))
    narrow = list(sliding(MIDNIGHT + timedelta(hours=2), 1))

    assert wide not in apart([wide, *narrow], day_of(THE_DAY, UTC))


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_days_on_which_clocks_change_are_shorter_and_longer(day: date, hours: int) -> None:
    found = day_of(day, BERLIN)

    assert found.until - found.since == timedelta(hours=hours)
    assert len(apart(sliding(found.since, hours + 1), found)) == hours * 12


@pytest.mark.parametrize(
    ("clock", "day"),
    [
        ("2026-06-19T04:59:59Z", 17),  # 06:59:59 in Berlin
        ("2026-06-19T05:00:00Z", 18),
        ("2026-06-19T21:59:00Z", 18),
        ("2026-06-19T22:01:00Z", 18),  # after midnight, and before seven
        ("2026-06-20T05:00:00Z", 19),
    ],
)
def test_a_day_is_due_at_its_hour_of_the_day_after(clock: str, day: int) -> None:
    now = datetime.fromisoformat(clock)

    assert newest_due(now, time(7), BERLIN) == date(2026, 6, day)


def test_an_hour_that_clocks_leave_out_is_due_once_all_the_same() -> None:
    """02:30 does not exist on that day; it is due as clocks go on."""
    moments = [datetime(2026, 3, 28, 22, tzinfo=UTC) + n * 10 * PERIOD for n in range(60)]
    due = [newest_due(moment, time(2, 30), BERLIN) for moment in moments]

    assert due == sorted(due) and {str(d) for d in due} == {"2026-03-27", "2026-03-28"}


def test_the_week_before_has_seven_days_that_touch() -> None:
    day = day_of(date(2026, 10, 27), BERLIN)
    week = list(weeks_days(day, BERLIN))

    assert [a.until for a in week] == [*(b.since for b in week[1:]), day.since]


def test_a_time_zone_that_is_none_is_named_with_a_remedy() -> None:
    with pytest.raises(ValueError, match=r"'Europe/Berln'.*Europe/Berlin"):
        zone_of("Europe/Berln")
