"""What people talk about, as the page shows it: the topics of each brand's newest hours."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from itertools import chain

import msgspec

from dashboards.live.journal import Journal
from schemas.records import Exemplar, Topic

HOURS = 3  # of each brand, the newest
MOST_BRANDS = 2_000
Place = tuple[str, int]  # brand, start of the hour


class Topics:
    """Topics in, any order and any number of times; the newest of each brand's newest hours out.

    Rows hold no posts: those of one topic are asked for when somebody opens it. A topic that late
    posts have undone stays as a row without posts, so that a browser learns of it.
    """

    def __init__(self) -> None:
        self.journal: Journal[str, Topic] = Journal()
        self._starts: dict[str, list[int]] = {}
        self._held: dict[Place, dict[str, tuple[Exemplar, ...]]] = {}

    def add(self, topic: Topic, version: int) -> bool:
        """Fold one record in as of `version`; whether it is news."""
        known = self.journal.get(topic.key)
        if known is not None and _rank(topic) <= _rank(known):
            return False
        start = int(topic.window_start.timestamp())
        if not self._has_room(topic.brand, start):
            return False
        self._held[topic.brand, start][topic.topic_id] = topic.exemplars
        self.journal.put(topic.key, msgspec.structs.replace(topic, exemplars=()), version)
        self._forget(topic.brand)
        return True

    def exemplars(self, brand: str, start: int, topic_id: str) -> tuple[Exemplar, ...]:
        """Posts that say best what a topic is about."""
        return self._held.get((brand, start), {}).get(topic_id, ())

    def all_exemplars(self) -> Iterator[Exemplar]:
        """Posts of any topic."""
        return chain.from_iterable(
            posts for topics in self._held.values() for posts in topics.values()
        )

    def _has_room(self, brand: str, start: int) -> bool:
        if (brand, start) in self._held:
            return True
        if brand not in self._starts and len(self._starts) >= MOST_BRANDS:
            return False
        starts = self._starts.setdefault(brand, [])
        if len(starts) >= HOURS and start < starts[0]:
            return False
        insort(starts, start)
        self._held[brand, start] = {}
        return True

    def _forget(self, brand: str) -> None:
        starts = self._starts[brand]
        while len(starts) > HOURS:
            oldest = starts.pop(0)
            del self._held[brand, oldest]
            for topic in [t for t in self.journal.values() if _place(t) == (brand, oldest)]:
                self.journal.drop(topic.key)


def _rank(topic: Topic) -> tuple[bool, int, bool]:
    """Of two records of one topic the higher rank is the newer; one undone is the last on time."""
    return topic.final, topic.pane_index, topic.posts == 0


def _place(topic: Topic) -> Place:
    return topic.brand, int(topic.window_start.timestamp())
