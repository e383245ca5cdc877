"""Newest value per key, kept in the order of change."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Journal(Generic[K, V]):
    """Keys with their newest value and the version at which it changed.

    Versions only grow, so whatever changed after one lies at the end: `since` costs what it
    returns, however much is kept.

    >>> journal: Journal[str, int] = Journal()
    >>> journal.put("a", 1, version=1)
    >>> journal.put("b", 2, version=2)
    >>> journal.put("a", 3, version=3)
    >>> list(journal.since(1)), list(journal.since(2))
    ([2, 3], [3])
    """

    def __init__(self) -> None:
        self._entries: OrderedDict[K, tuple[int, V]] = OrderedDict()

    def put(self, key: K, value: V, version: int) -> None:
        """Set `key` to `value` as of `version`."""
        self._entries[key] = (version, value)
        self._entries.move_to_end(key)

    def get(self, key: K) -> V | None:
        """The value of `key`, None if there is none."""
        entry = self._entries.get(key)
        return entry[1] if entry else None

    def drop(self, key: K) -> None:
        """Forget `key`; an unknown one is no error."""
        self._entries.pop(key, None)

    def values(self) -> Iterator[V]:
        """Every value, least recently changed first."""
        return (value for _, value in self._entries.values())

    def since(self, version: int) -> Iterator[V]:
        """Values that changed after `version`, oldest change first."""
        newer: list[V] = []
        for changed_at, value in reversed(self._entries.values()):
            if changed_at <= version:
                break
            newer.append(value)
        return reversed(newer)

    def __len__(self) -> int:
        return len(self._entries)
