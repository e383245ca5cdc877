"""Facts about the heap of a worker that streams records."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from transforms.kafka.heap import THRESHOLDS, settle_heap


@pytest.fixture
def _restored() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


class Knot:
    """An object that holds itself, so that only the collector can free it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.mark.usefixtures("_restored")
def test_what_is_there_becomes_permanent_and_later_cycles_are_still_found() -> None:
    settle_heap()
    later = weakref.ref(Knot())
    gc.collect()

    assert gc.get_freeze_count() > 0 and gc.get_threshold() == THRESHOLDS
    assert gc.isenabled() and later() is None
