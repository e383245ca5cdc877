import random
from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.testing.test_stream import TestStream as Stream

from schemas.records import Reading, Rollup, Slice, Trend, decode, encode
from tests.builders import NOON, a_reading, a_stream, at
from tests.stages import bounded, records_of, streamed, timestamped
from transforms.coders import StructCoder
from transforms.rollup import RollUp, parts_of
from transforms.samples import samples_by_key
from transforms.tally import Tally
from transforms.trend import AggregateTrends

HOUR, DAY = 3600, 86_400
MIDNIGHT = NOON - DAY // 2
LATENESS = 1200


class RolledUp(beam.PTransform):
    """Readings to roll-ups of windows of 5 minutes each minute."""

    def __init__(self, lengths: tuple[int, ...], slices: tuple[Any, ...]) -> None:
        super().__init__()
        self.lengths, self.slices = lengths, slices

    def expand(self, pcoll: Any) -> Any:
        trends, tallies = pcoll | AggregateTrends(300, 60, LATENESS, slices=self.slices)
        return (tallies, trends) | RollUp(self.lengths, 300, LATENESS)


def rollups(
    source: Any, runner: str, lengths: tuple[int, ...] = (HOUR, DAY), slices: tuple[Any, ...] = ()
) -> list[Rollup]:
    """What a run tells, in the order it came out."""
    return records_of(Rollup, source, RolledUp(lengths, slices), runner)


def in_steps(stream: Any, start: int, end: int) -> Any:
    """`stream` with its watermark moved on by five minutes at a time, as a live one's is.

    BundleBasedDirectRunner lets no timer hold the watermark of the step behind: in one leap the
    timers of all steps are due at once.
    """
    for moment in range(start, end + 1, 300):
        stream = stream.advance_watermark_to(NOON + moment)
    return stream.advance_watermark_to_infinity()


def seconds_of(rollup: Trend) -> int:
    return int((rollup.window_end - rollup.window_start).total_seconds())


def finals(found: Iterable[Rollup]) -> list[Rollup]:
    return sorted((r for r in found if r.final), key=lambda r: r.key)


def learnt_at_once(
    readings: list[Reading], lengths: Iterable[int] = (HOUR, DAY), dimensions: tuple[str, ...] = ()
) -> list[Rollup]:
    """What one tally of all posts of each long window tells."""
    tallies: dict[Any, Tally] = {}
    for reading in readings:
        moment = int(reading.created_at.timestamp())
        for key, sample in samples_by_key(reading, dimensions):
            for seconds in lengths:
                whole = (key, moment - moment % seconds, seconds)
                tallies.setdefault(whole, Tally()).learn_one(sample)
    told = (
        tally.rollup(key, start, start + seconds, "final")
        for (key, start, seconds), tally in tallies.items()
    )
    return sorted((decode(encode(one), Rollup) for one in told), key=lambda r: r.key)


def course(found: list[Rollup], seconds: int, start: float) -> list[tuple[str, int]]:
    """Timing and posts of each pane of one long window."""
    return [
        (r.timing, r.posts)
        for r in found
        if seconds_of(r) == seconds and r.window_start == at(start)
    ]


def test_a_tally_goes_to_the_longer_window_that_holds_it() -> None:
    window = ("Nova", "*", "*", "*", NOON + HOUR + 600)
    hour, day = parts_of((window, b"tally"), (300, HOUR, DAY))

    assert hour == ((*window[:-1], NOON + HOUR, HOUR), (NOON + HOUR + 900, b"tally"))
    assert day == ((*window[:-1], MIDNIGHT, DAY), (NOON + 2 * HOUR, b"tally"))


def test_hours_and_days_are_what_one_tally_of_all_their_posts_would_tell() -> None:
    readings = a_stream(3 * HOUR, 1, start=11 * HOUR) + a_stream(HOUR, 2, start=-HOUR, seed=4)

    assert finals(rollups(bounded(readings), "FnApiRunner")) == learnt_at_once(readings)


def test_each_slice_has_hours_of_its_own() -> None:
    readings = [a_reading(post_id=str(n), lang=("en", "de")[n % 2]) for n in range(6)]
    found = finals(rollups(bounded(readings), "FnApiRunner", (HOUR,), ("lang",)))

    assert {str(r.slice): r.posts for r in found} == {"*/*/*": 6, "*/de/*": 3, "*/en/*": 3}
    assert found == learnt_at_once(readings, (HOUR,), ("lang",))


@pytest.mark.parametrize("seed", [1, 2])
def test_finals_do_not_depend_on_order_nor_on_the_runner(seed: int) -> None:
    readings = a_stream(2 * HOUR, 2, start=11 * HOUR)
    rng = random.Random(seed)
    late = sorted(readings, key=lambda r: r.created_at.timestamp() + rng.uniform(0, LATENESS))
    stream = streamed(late, delay=100, ends=False)
    found = rollups(in_steps(stream, 13 * HOUR, 14 * HOUR), "BundleBasedDirectRunner")

    assert finals(found) == learnt_at_once(readings)
    assert any(r.timing == "late" for r in found)


def test_an_hour_is_told_as_it_fills_when_it_ends_with_what_came_late_and_once_for_good() -> None:
    posts = [a_reading(post_id=str(n), author=str(n), created_at=at(n * 600)) for n in range(6)]
    stream = Stream(coder=StructCoder(Reading)).add_elements(timestamped(posts[:2]))
    stream = stream.advance_watermark_to(NOON + 1000).add_elements(timestamped(posts[2:5]))
    stream = stream.advance_watermark_to(NOON + 3000).advance_watermark_to(NOON + HOUR + 60)
    stream = stream.add_elements(timestamped(posts[5:]))
    found = rollups(in_steps(stream, HOUR + 300, 12 * HOUR), "BundleBasedDirectRunner")
    told = course(found, HOUR, 0)
    early = [posts for timing, posts in told if timing == "early"]

    assert sorted(set(early)) == [2, 5]
    assert told[len(early) :] == [("on_time", 5), ("late", 6), ("final", 6)]
    assert list(dict.fromkeys(course(found, DAY, -DAY // 2))) == [
        *[("early", 5), ("early", 6)],
        *[("on_time", 6), ("final", 6)],
    ]


def test_an_hour_whose_only_post_came_late_is_told_too() -> None:
    late = a_reading(created_at=at(HOUR - 60))
    stream = Stream(coder=StructCoder(Reading)).advance_watermark_to(NOON + HOUR + 120)
    stream = in_steps(stream.add_elements(timestamped([late])), HOUR + 300, 2 * HOUR)
    found = rollups(stream, "BundleBasedDirectRunner")

    assert finals(found) == learnt_at_once([late])


def test_without_lengths_nothing_is_told() -> None:
    assert rollups(bounded(a_stream(600, 6)), "FnApiRunner", ()) == []


def test_hour_and_day_of_one_start_have_keys_of_their_own() -> None:
    hour, day = finals(rollups(bounded([a_reading(created_at=at(-DAY / 2))]), "FnApiRunner"))

    assert hour.window_start == day.window_start == at(-DAY / 2) and hour.slice == Slice()
    assert {hour.key, day.key} == {f"Nova|*/*/*|2026-01-01T00:00:00+00:00|{n}" for n in (HOUR, DAY)}


def test_a_length_that_shorter_ones_do_not_fill_is_refused() -> None:
    with pytest.raises(ValueError, match="90000 is no multiple of 7200"):
        RollUp((3600, 7200, 90_000), 300, 0)
