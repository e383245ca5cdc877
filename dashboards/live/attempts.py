"""How often clients may guess."""

from __future__ import annotations

import time
from collections.abc import Callable

from cachetools import TTLCache

MAX_FAILURES = 5
MAX_FAILURES_OF_ALL = 100  # who stands behind a proxy, or on this machine, can take many names
LOCKED_SECONDS = 60.0
MAX_CLIENTS = 1_024
ALL = ""


class Attempts:
    """Counts failures of each client; the fifth locks it out until a minute has passed.

    After a hundred from anywhere nobody is heard for as long.

    >>> attempts = Attempts(clock=lambda: 0.0)
    >>> for _ in range(5):
    ...     attempts.fail("10.0.0.7")
    >>> attempts.is_locked("10.0.0.7"), attempts.is_locked("10.0.0.8")
    (True, False)
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._failures: TTLCache[str, int] = TTLCache(MAX_CLIENTS, LOCKED_SECONDS, timer=clock)

    def is_locked(self, client: str) -> bool:
        """Whether nothing more is heard from this client for now."""
        mine, all_of_them = self._failures.get(client, 0), self._failures.get(ALL, 0)
        return mine >= MAX_FAILURES or all_of_them >= MAX_FAILURES_OF_ALL

    def fail(self, client: str) -> None:
        """Take note of a failure."""
        for name in (client, ALL):
            self._failures[name] = self._failures.get(name, 0) + 1
