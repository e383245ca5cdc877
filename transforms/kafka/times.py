"""Seconds since the epoch: which are likely to be true, and how Beam writes them."""

from __future__ import annotations

import math

from apache_beam.utils.timestamp import MAX_TIMESTAMP, MIN_TIMESTAMP, Timestamp

EARLIEST_SECONDS = 946_684_800.0  # 2000-01-01: no channel is older
MAX_AHEAD_SECONDS = 600.0  # clocks of others run ahead of ours by minutes at most


def is_plausible(event_time: float | None, now: float) -> bool:
    """Whether something may have happened at `event_time`: from 2000 until just after `now`."""
    if event_time is None:
        return False
    return EARLIEST_SECONDS <= event_time <= now + MAX_AHEAD_SECONDS


def to_timestamp(seconds: float) -> Timestamp:
    """Epoch seconds as Beam's timestamp, held within its range."""
    if math.isinf(seconds) or abs(seconds) >= MAX_TIMESTAMP.micros / 1e6:
        return MIN_TIMESTAMP if seconds < 0 else MAX_TIMESTAMP
    return Timestamp.of(seconds)
