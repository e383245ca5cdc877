"""How much clients may ask of what costs the processor."""

from __future__ import annotations

import time
from collections.abc import Callable

from cachetools import LRUCache

BURST, A_SECOND = 10, 2.0  # a person types, and the page asks again while posts are placed
BURST_OF_ALL, A_SECOND_OF_ALL = 40, 8.0
MAX_CLIENTS = 1_024


class Allowance:
    """A bucket of questions for each client and one for all of them, filled up as time passes.

    >>> allowance = Allowance(clock=lambda: 0.0)
    >>> [allowance.take("10.0.0.7") for _ in range(11)].count(True), allowance.take("10.0.0.8")
    (10, True)
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: LRUCache[str, tuple[float, float]] = LRUCache(MAX_CLIENTS)
        self._of_all = float(BURST_OF_ALL), clock()

    def take(self, client: str) -> bool:
        """Whether the client may ask once more; if so, that is counted."""
        now = self._clock()
        mine = _filled(self._buckets.get(client, (BURST, now)), now, BURST, A_SECOND)
        ours = _filled(self._of_all, now, BURST_OF_ALL, A_SECOND_OF_ALL)
        may = min(mine, ours) >= 1
        self._buckets[client] = mine - may, now
        self._of_all = ours - may, now
        return may


def _filled(bucket: tuple[float, float], now: float, most: float, a_second: float) -> float:
    held, since = bucket
    return min(most, held + (now - since) * a_second)
