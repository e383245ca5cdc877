"""How far event time has come while posts arrive out of order, and which posts are too late."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from transforms.kafka.times import is_plausible


def is_too_late(event_time: float | None, watermark: float, allowed_seconds: float) -> bool:
    """Whether `watermark` passed `event_time` by more than the allowed lateness.

    >>> is_too_late(90.0, watermark=100.0, allowed_seconds=10.0)
    False
    >>> is_too_late(89.0, watermark=100.0, allowed_seconds=10.0)
    True
    """
    return event_time is not None and event_time < watermark - allowed_seconds


class BoundedDisorder:
    """Watermark of one ordered source whose posts are at most `disorder_seconds` out of order.

    The watermark is the newest plausible event time minus the disorder: it never goes back, a
    single clock set to 2087 does not move it, nor one that runs ahead by minutes past the time of
    now. It is minus infinity before the first post.

    >>> times = BoundedDisorder(60.0)
    >>> times.observe(1_700_000_000.0)
    >>> times.observe(1_600_000_000.0)
    >>> times.watermark
    1699999940.0
    >>> times.is_too_late(1_699_996_000.0, allowed_seconds=3600.0)
    True
    """

    def __init__(
        self,
        disorder_seconds: float,
        newest: float = -math.inf,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.disorder_seconds = disorder_seconds
        self.newest = newest
        self._clock = clock

    def observe(self, event_time: float | None) -> None:
        """Take note of a post's time; None and implausible times change nothing."""
        if event_time is None or event_time <= self.newest:
            return
        now = self._clock()
        if is_plausible(event_time, now):
            self.newest = max(self.newest, min(event_time, now))

    @property
    def watermark(self) -> float:
        """Epoch seconds before which no more posts are expected."""
        return self.newest - self.disorder_seconds

    def is_too_late(self, event_time: float | None, allowed_seconds: float) -> bool:
        """Whether the watermark has passed `event_time` by more than `allowed_seconds`."""
        return is_too_late(event_time, self.watermark, allowed_seconds)
