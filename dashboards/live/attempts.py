"""How often a client may guess."""

from __future__ import annotations

import time
from collections.abc import Callable

from cachetools import TTLCache

MAX_FAILURES = 5
LOCKED_SECONDS = 60.0
MAX_CLIENTS = 1_024


class Attempts:
    """Counts failures of each client; the fifth locks it out until a minute has passed.

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
        return self._failures.get(client, 0) >= MAX_FAILURES

    def fail(self, client: str) -> None:
        """Take note of a failure."""
        self._failures[client] = self._failures.get(client, 0) + 1
