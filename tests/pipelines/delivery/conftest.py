"""An outbox, and a clock that stands until it is moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.delivery.outbox import Outbox


@dataclass
class Clock:
    """Stands until it is moved; epoch seconds."""

    now: float = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def outbox(tmp_path: Path, clock: Clock) -> Iterator[Outbox]:
    box = Outbox(tmp_path / "new" / "outbox.sqlite", clock)
    yield box
    box.close()
