from __future__ import annotations

import random

import msgspec
import pytest

from dashboards.live import rollups as rollups_module
from dashboards.live import windows as windows_module
from dashboards.live.counters import Cause, Reader
from dashboards.live.state import State, Update
from dashboards.live.windows import Window
from schemas.records import PaneTiming, Rollup, Slice, Trend
from tests.dashboards.incidents import an_alert, at
from tests.dashboards.run_folder import a_rejection, a_rollup, a_trend, build_counters
from tests.dashboards.story import Moment

CALM = Moment(posts=20, valence=0.2, image_share=0.3)


def a_pane(
    hour: float = 9.0,
    *,
    pane: int = 10,
    timing: PaneTiming = "on_time",
    brand: str = "Aerolume",
    part: Slice | None = None,
) -> Trend:
    trend = a_trend(brand, at(hour), CALM, timing=timing, part=part)
    return msgspec.structs.replace(trend, pane_index=pane)


def folded(*trends: Trend) -> list[Window]:
    state = State()
    for trend in trends:
        state.fold(trend)
    return list(state.windows.journal.values())


def test_a_later_pane_replaces_an_earlier_one_whatever_the_order() -> None:
    early, late = a_pane(pane=5), a_pane(pane=9)

    assert [window.pane for window in folded(early, late)] == [9]
    assert [window.pane for window in folded(late, early)] == [9]


def test_a_final_pane_outranks_a_higher_index() -> None:
    final, early = a_pane(pane=5, timing="final"), a_pane(pane=7, timing="early")

    assert [window.timing for window in folded(final, early)] == ["final"]


def test_a_repeated_record_changes_nothing() -> None:
    state = State()
    state.fold(a_pane())
    before = state.id

    state.fold(a_pane())

    assert state.id == before


def test_slices_that_narrow_two_things_are_not_kept() -> None:
    assert folded(a_pane(part=Slice(channel="x", lang="de"))) == []


def test_the_newest_revision_of_an_alert_stands() -> None:
    state = State()
    for revision in (1, 3, 2):
        state.fold(an_alert("a", "Aerolume", severity=revision, revision=revision))

    assert [alert.severity for alert in state.alerts.values()] == [3]


def test_a_series_keeps_its_newest_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows_module, "BRAND_WINDOWS", 3)
    hours = [6.0, 9.0, 7.0, 8.0, 5.0]

    kept = folded(*(a_pane(hour) for hour in hours))

    assert sorted(window.start for window in kept) == [at(h).timestamp() for h in (7.0, 8.0, 9.0)]


def test_a_slice_that_forgets_a_window_leaves_the_brands_posts_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(windows_module, "SLICE_WINDOWS", 1)
    state = State()
    for hour in (9.0, 9.1):
        state.fold(a_pane(hour))
        state.fold(a_pane(hour, part=Slice(lang="de")))

    assert state.windows.exemplars("Aerolume", int(at(9.0).timestamp()))


def test_series_beyond_the_limit_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows_module, "MAX_SERIES", 2)

    kept = folded(*(a_pane(brand=f"brand {n}") for n in range(5)))

    assert {window.brand for window in kept} == {"brand 0", "brand 1"}


def test_changes_since_an_id_hold_just_what_came_after() -> None:
    state = State()
    state.fold(a_pane(9.0))
    seen = state.id
    state.fold(a_pane(9.1))
    state.fold(an_alert("a", "Aerolume"))

    update = state.changes(seen)

    assert not update.reset
    assert [window.start for window in update.windows] == [at(9.1).timestamp()]
    assert [alert.alert_id for alert in update.alerts] == ["a"]
    assert state.changes(update.id) == Update(id=state.id, reset=False)


@pytest.mark.parametrize("last_id", [None, "", "nonsense", "deadbeef.3", "a.b.c"])
def test_an_id_of_another_epoch_brings_everything(last_id: str | None) -> None:
    state = State()
    state.fold(a_pane())

    update = state.changes(last_id)

    assert update.reset
    assert update.fields == Window.__struct_fields__
    assert len(update.windows) == 1


def test_updates_taken_at_any_moment_add_up_to_the_snapshot() -> None:
    chance, state = random.Random(7), State()
    trends = [a_pane(6 + n / 30, pane=pane) for n in range(40) for pane in (1, 2, 3)]
    chance.shuffle(trends)
    seen: dict[int, Window] = {}
    last_id: str | None = None
    for trend in trends:
        state.fold(trend)
        if chance.random() < 0.2:
            update = state.changes(last_id)
            seen |= {window.start: window for window in update.windows}
            last_id = update.id

    seen |= {window.start: window for window in state.changes(last_id).windows}

    assert seen == {window.start: window for window in state.changes().windows}
    assert {window.pane for window in seen.values()} == {3}


def test_counters_become_totals_per_stage() -> None:
    state = State()
    state.fold_counters(build_counters())

    assert (state.stages.read, state.stages.cleaned) == (48_112, 47_071)
    assert [part.cause for part in state.stages.dead_letters] == [
        "not_json",
        "too_late",
        "text_empty",
    ]


def test_counters_say_what_the_data_and_the_readings_are_worth() -> None:
    state = State()
    state.fold_counters(
        {
            'moodwire_trends_total{timing="on_time"}': 9,
            'moodwire_trends_total{timing="late"}': 4,
            'moodwire_expectation_failures_total{expectation="lang_is_known"}': 1,
            'moodwire_expectation_failures_total{expectation="reach_is_sane"}': 3,
            'moodwire_readings_total{channel="x",model="m-1"}': 5,
            'moodwire_readings_total{channel="x",model="m-2"}': 7,
            'moodwire_readings_total{channel="reddit",model="m-1"}': 6,
        }
    )

    assert state.stages.late == 4
    assert state.stages.expectations == (
        Cause("", "reach_is_sane", 3),
        Cause("", "lang_is_known", 1),
    )
    assert state.stages.readers == (Reader("m-1", 11), Reader("m-2", 7))


def test_dead_letters_are_counted_from_their_file_until_the_run_counts_them() -> None:
    state = State()
    for offset in (1, 2, 2):
        state.fold(a_rejection(offset))
    assert [part.count for part in state.stages.dead_letters] == [2]

    state.fold_counters(build_counters())

    assert sum(part.count for part in state.stages.dead_letters) == 308


def test_the_newest_settled_window_is_not_one_still_filling() -> None:
    state = State()
    state.fold(a_pane(9.0))
    state.fold(a_pane(9.5, timing="early"))

    newest = state.windows.newest_settled("Aerolume")

    assert newest is not None
    assert newest.start == at(9.0).timestamp()


def an_hour(hour: float = 9.0, hours: int = 1, pane: int = 10, brand: str = "Aerolume") -> Rollup:
    return msgspec.structs.replace(a_rollup(brand, at(hour), hours, CALM), pane_index=pane)


def rolled_up(*records: Trend) -> State:
    state = State()
    for record in records:
        state.fold(record)
    return state


def test_an_hour_and_a_day_of_one_start_are_told_apart_and_are_no_windows() -> None:
    update = rolled_up(a_pane(0.0), an_hour(0.0), an_hour(0.0, 24)).changes()

    assert [window.end - window.start for window in update.windows] == [300]
    assert [window.end - window.start for window in update.rollups] == [3600, 86_400]


def test_the_newest_pane_of_an_hour_holds_whatever_the_order() -> None:
    state = rolled_up(an_hour(pane=9), an_hour(pane=5), an_hour(pane=9))

    assert [window.pane for window in state.rollups.since(0)] == [9]
    assert state.version == 1


def test_an_update_brings_the_hours_that_changed_since() -> None:
    state = rolled_up(an_hour(8.0))
    before = state.id
    state.fold(an_hour(9.0))

    (window,) = state.changes(before).rollups
    assert window.start == int(at(9).timestamp())


def test_slices_of_hours_are_left_to_whoever_reads_the_topic() -> None:
    sliced = msgspec.structs.replace(an_hour(), slice=Slice(lang="de"))

    assert list(rolled_up(sliced).rollups.since(0)) == []


def test_a_brand_keeps_its_newest_hours_and_the_posts_that_stand_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rollups_module, "BRAND_ROLLUPS", 2)
    state = rolled_up(*(an_hour(float(hour)) for hour in (7, 9, 8)))
    starts = [int(at(hour).timestamp()) for hour in (7, 8, 9)]

    assert sorted(window.start for window in state.rollups.since(0)) == starts[1:]
    forgotten, *_, kept = (state.rollups.exemplars("Aerolume", start, 3600) for start in starts)
    assert forgotten == ()
    assert state.exemplar(kept[0].channel, kept[0].post_id) == kept[0]


def test_lengths_are_bounded() -> None:
    state = rolled_up(*(an_hour(hours=hours) for hours in range(1, 9)))

    assert len(list(state.rollups.since(0))) == rollups_module.MAX_LENGTHS
