import random
from itertools import pairwise
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.testing.test_stream import TestStream as Stream

from schemas.records import Reading, Slice, Trend
from tests.builders import NOON, a_reading, a_stream, at, final_trends
from tests.stages import bounded, records_of, streamed, timestamped
from transforms import bundle_tallies
from transforms.coders import StructCoder
from transforms.tally import Tally
from transforms.trend import AggregateTrends, next_timing
from transforms.windows import starts_of_windows

LATENESS = 600


def panes(source: Any, runner: str, **changes: Any) -> list[Trend]:
    """Trends of a stage over 5-minute windows each minute, in the order they came out."""
    arguments: dict[str, Any] = {"early_posts": 20, "slices": ()}
    stage = Trends(AggregateTrends(300, 60, LATENESS, **(arguments | changes)))
    return records_of(Trend, source, stage, runner)


class Trends(beam.PTransform):
    """What a stage makes of readings beside the tallies that it hands on."""

    def __init__(self, stage: AggregateTrends) -> None:
        super().__init__()
        self.stage = stage

    def expand(self, pcoll: Any) -> Any:
        return (pcoll | self.stage).trends


def by_window(trends: list[Trend]) -> list[Trend]:
    return sorted(trends, key=lambda t: t.key)


def finals(trends: list[Trend]) -> list[Trend]:
    return by_window([t for t in trends if t.final])


def test_a_moment_lies_in_as_many_windows_as_overlap() -> None:
    assert list(starts_of_windows(NOON + 61.5, 300, 60)) == [NOON + 60 - 60 * n for n in range(5)]
    assert list(starts_of_windows(-1.0, 60, 60)) == [-60]


def test_a_reading_counts_for_each_brand_slice_and_window() -> None:
    readings = [a_reading(brands=("Nova", "Orion"))]
    found = finals(panes(bounded(readings), "FnApiRunner", slices=("channel", "country")))

    assert len(found) == len({trend.key for trend in found}) == 2 * 3 * 5


def test_a_bundle_that_spans_more_than_is_kept_hands_on_in_the_middle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    readings = a_stream(900, 6)
    monkeypatch.setattr(bundle_tallies, "MOST_TALLIES", 3)

    assert finals(panes(bounded(readings), "FnApiRunner")) == by_window(final_trends(readings))


def test_timing_of_panes_told_by_readings() -> None:
    assert next_timing(19, Tally(posts=20), 20) == "early"
    assert next_timing(19, Tally(posts=61), 20) == "early"
    assert next_timing(20, Tally(posts=39), 20) is None
    assert next_timing(20, Tally(posts=21, closed=True), 20) == "late"


def test_a_window_of_many_posts_tells_early_panes_as_it_grows() -> None:
    told = [n for n in range(1, 100_001) if next_timing(n - 1, Tally(posts=n), 20)]
    steps = [later - sooner for sooner, later in pairwise(told)]

    assert told[:17] == [20 * n for n in range(1, 17)] + [360]
    assert max(step / held for step, held in zip(steps[16:], told[16:], strict=False)) <= 1 / 8
    assert len(told) < 130


def test_bounded_input_gives_one_final_pane_for_each_window() -> None:
    readings = a_stream(900, 6)
    found = finals(panes(bounded(readings), "FnApiRunner"))

    assert found == by_window(final_trends(readings))


@pytest.mark.parametrize("seed", [1, 2])
def test_final_trends_do_not_depend_on_order_nor_on_the_runner(seed: int) -> None:
    readings = a_stream(900, 6)
    expected = finals(panes(bounded(readings), "FnApiRunner"))
    rng = random.Random(seed)
    late = sorted(readings, key=lambda r: r.created_at.timestamp() + rng.uniform(0, LATENESS))

    assert finals(panes(streamed(late, delay=100), "BundleBasedDirectRunner")) == expected


def test_early_on_time_late_and_final_panes_of_one_window() -> None:
    inside = [a_reading(post_id=str(n), author=str(n), created_at=at(n)) for n in range(45)]
    stream = Stream(coder=StructCoder(Reading))
    for some in (inside[:20], inside[20:41], inside[41:44]):
        stream = stream.add_elements(timestamped(some))
    stream = stream.advance_watermark_to(NOON + 301)
    stream = stream.add_elements(timestamped(inside[44:])).advance_watermark_to_infinity()
    found = panes(stream, "BundleBasedDirectRunner")
    told = [t for t in found if t.window_start == at(0)]

    assert [(t.timing, t.pane_index) for t in told] == [
        ("early", 20),
        ("early", 41),
        ("on_time", 44),
        ("late", 45),
        ("final", 45),
    ]
    assert [t.final for t in told] == [False] * 4 + [True]


def test_slices_are_told_apart_and_only_all_posts_have_exemplars() -> None:
    readings = [a_reading(post_id="1", lang="en"), a_reading(post_id="2", lang="de")]
    found = finals(panes(bounded(readings), "FnApiRunner", slices=("lang",)))
    first = {str(t.slice): t for t in found if t.window_start == at(0)}

    assert {name: t.posts for name, t in first.items()} == {"*/*/*": 2, "*/en/*": 1, "*/de/*": 1}
    assert len(first[str(Slice())].exemplars) == 2 and first[str(Slice())].terms
    assert first["*/en/*"].exemplars == () and first["*/en/*"].terms == {}


def test_years_between_readings_make_no_windows_between() -> None:
    readings = [a_reading(), a_reading(post_id="2", created_at=at(10**8))]

    assert len(finals(panes(bounded(readings), "FnApiRunner"))) == 10


def test_a_window_that_is_no_multiple_of_the_period_is_refused() -> None:
    with pytest.raises(ValueError, match="not a multiple of period_seconds"):
        AggregateTrends(300, 70, 0)
