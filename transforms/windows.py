"""Sliding windows of event time, by their starts."""

from __future__ import annotations

import math
from typing import Literal

Dimension = Literal["channel", "lang", "country"]
WindowKey = tuple[str, str, str, str, int]  # brand, channel, lang, country, window start
DIMENSIONS: tuple[Dimension, ...] = ("channel", "lang", "country")


def starts_of_windows(seconds: float, window_seconds: int, period_seconds: int) -> range:
    """Starts of the sliding windows that hold the moment `seconds`, the latest first.

    The latest start is that of the period in which the moment lies, and of the windows that hold
    any moment of that period.

    >>> list(starts_of_windows(605, 300, 60))
    [600, 540, 480, 420, 360]
    """
    latest = math.floor(seconds / period_seconds) * period_seconds
    return range(latest, latest - window_seconds, -period_seconds)
