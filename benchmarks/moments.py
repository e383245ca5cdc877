"""When elements pass a step of a pipeline in this process."""

from __future__ import annotations

import time
from typing import TypeVar

Element = TypeVar("Element")
MOMENTS: list[float] = []


def noted(element: Element) -> Element:
    """Note the time at which an element passes."""
    MOMENTS.append(time.perf_counter())
    return element
