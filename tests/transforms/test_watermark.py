"""Facts about watermarks under bounded disorder."""

from __future__ import annotations

import math
import random

import pytest

from transforms.kafka.times import is_plausible
from transforms.watermark import BoundedDisorder

NOW = 1_764_000_000.0
YEAR = 365 * 86_400.0


def a_watermark(disorder_seconds: float = 60.0) -> BoundedDisorder:
    return BoundedDisorder(disorder_seconds, clock=lambda: NOW)


def test_watermark_trails_the_newest_post_by_the_disorder() -> None:
    times = a_watermark()

    times.observe(NOW - 100)

    assert times.watermark == NOW - 160


def test_a_clock_that_runs_ahead_moves_the_watermark_no_further_than_ours() -> None:
    times = a_watermark()

    times.observe(NOW + 590)

    assert times.watermark == NOW - 60
    assert not times.is_too_late(NOW - 60, allowed_seconds=0)


def test_watermark_is_minus_infinity_before_the_first_post() -> None:
    assert a_watermark().watermark == -math.inf
    assert not a_watermark().is_too_late(0.0, 0.0)


def test_watermark_never_goes_back() -> None:
    times = a_watermark()
    seen: list[float] = []

    for _ in range(200):
        times.observe(NOW - random.Random(len(seen)).uniform(0, 1000))
        seen.append(times.watermark)

    assert seen == sorted(seen)


@pytest.mark.parametrize("wrong", [None, 0.0, -1.0, NOW + YEAR, math.inf, math.nan])
def test_implausible_time_does_not_move_the_watermark(wrong: float | None) -> None:
    times = a_watermark()
    times.observe(NOW - 100)

    times.observe(wrong)

    assert times.watermark == NOW - 160


def test_post_is_too_late_only_past_the_allowed_lateness() -> None:
    times = a_watermark()
    times.observe(NOW)

    assert not times.is_too_late(NOW - 70, allowed_seconds=10)
    assert times.is_too_late(NOW - 70.5, allowed_seconds=10)
    assert not times.is_too_late(None, allowed_seconds=10)


def test_post_is_never_too_late_by_its_own_time() -> None:
    times = a_watermark(disorder_seconds=0)

    times.observe(NOW)

    assert not times.is_too_late(NOW, allowed_seconds=0)


def test_slightly_fast_clock_is_plausible() -> None:
    assert is_plausible(NOW + 30, NOW)
    assert not is_plausible(NOW + 3_600, NOW)
