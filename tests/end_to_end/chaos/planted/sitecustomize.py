"""A planted bug, to prove that the harness sees such: offsets are committed before the checkpoint.

Python imports this module by itself where its folder is on PYTHONPATH. The source of such workers
commits every bundle as soon as it was read, and a new worker goes on from what is committed,
whatever the runner's checkpoint says. That is what a consumer with auto-commit does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from transforms.kafka.bundles import Bundle
from transforms.kafka.consumers import COMMITS

_started: set[int] = set()
_elements, _look_around = Bundle.elements, Bundle.look_around


def _elements_from_commits(self: Any) -> Iterator[Any]:
    """Skip to the committed offsets in the first bundle of each reader of this process."""
    if self._reader not in _started:
        _started.add(self._reader)
        partitions = self.rest.unread
        found = {p: self._loan.consumer.committed(_place(p)) for p in partitions}
        ahead = {p: offset for p, offset in found.items() if offset and offset > partitions[p]}
        if ahead and self._tracker.try_claim(ahead):
            self.rest = self.rest.after(ahead)
            self._loan.go_to(self.rest.unread)
    yield from _elements(self)


def _commit_at_once(self: Any) -> None:
    _look_around(self)
    reader = (*self._reading.group, self._reader)
    reports = self._watermark.reports(self._reading.run)
    COMMITS.commit(reader, self.rest.starts, reports, at_once=True)


def _place(partition: tuple[str, int]) -> Any:
    from kafka import TopicPartition

    return TopicPartition(*partition)


Bundle.elements = _elements_from_commits  # type: ignore[method-assign]
Bundle.look_around = _commit_at_once  # type: ignore[method-assign]
