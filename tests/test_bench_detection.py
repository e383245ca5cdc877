"""Facts about the benchmark of detectors: rules see a burst, thresholds keep to a rate."""

import math

import pytest

from benchmarks.bench_detection import (
    OURS,
    Series,
    Sweep,
    false_alarms,
    leave_one_out,
    open_at,
    sweep,
)
from benchmarks.detection_cost import cost_of
from benchmarks.detection_rules import RULES
from pipelines.backtest.rows import Row
from pipelines.backtest.windows import Window

STEP = 300
DAY = 288
BURST = 12 * DAY


def series(name: str, burst: int = BURST) -> Series:
    """Fourteen even days with one hour of eightfold counts, and a label around it."""
    rows = [
        Row(
            str(row), "", row * STEP, (8 if burst <= row < burst + 12 else 1) * (50.0 + row * 7 % 5)
        )
        for row in range(14 * DAY)
    ]
    return Series(name, rows, (Window((burst - 10) * STEP, (burst + 30) * STEP),))


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_scores_a_burst_above_all_else(rule: str) -> None:
    watcher, rows = RULES[rule](), series("a").rows
    scores = [watcher.step(row.time, row.counted) for row in rows]

    assert all(math.isfinite(score) for score in scores)
    assert max(scores[BURST : BURST + 12]) > max(scores[5 * DAY : BURST])


def test_thresholds_of_others_find_the_burst_of_the_series_left_out() -> None:
    every = [series("a"), series("b", 11 * DAY), series("c", 10 * DAY)]
    found = sweep(OURS, every)

    opened = leave_one_out(found, every, rate=0.1)

    assert all(false_alarms(one, opened[one.name]) == 0 for one in every)
    assert [len(opened[one.name]) for one in every] == [1, 1, 1]


def test_the_threshold_is_the_lowest_that_keeps_to_the_rate() -> None:
    one = series("a")
    outside = [5 * DAY, 7 * DAY]
    found = Sweep([1.0, 2.0, 3.0], [{"a": outside}, {"a": outside[:1]}, {"a": []}], 0.0)

    assert [found.choose([one], rate) for rate in (2.0, 1.0, 0.1)] == [0, 1, 2]


def test_alarms_within_hours_count_once_and_probation_not_at_all() -> None:
    assert false_alarms(series("a"), [10, 5 * DAY, 5 * DAY + 20, BURST, 13 * DAY]) == 2


def test_an_alert_of_another_rule_opens_after_half_a_day_below() -> None:
    one = series("a")
    scores = [1.0 if row in (0, 100, 400) else 0.0 for row in range(len(one.rows))]

    assert open_at("one hour against twelve", one, scores, 1.0) == [0, 400]


def test_cost_counts_bytes_of_a_key() -> None:
    found = cost_of(50)

    assert 200 < found["bytes_of_state"] < 1024 and found["micros_per_row"] > 0
