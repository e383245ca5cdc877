"""The part of the settings that says when a change is worth a person's attention."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from pipelines.strict import Count, Strict

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class MaintenanceSettings(Strict, frozen=True, kw_only=True):
    """A span of event time in which alerts of a brand, or of all, are muted."""

    brand: str | None = None
    start: Moment = msgspec.field(name="from")
    end: Moment = msgspec.field(name="to")

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError(f"to: {self.end} is not after `from` ({self.start}); swap the two")


class AlertSettings(Strict, frozen=True, kw_only=True):
    """When a change is worth a person's attention, and when nobody is to be told."""

    sensitivity: Literal["low", "medium", "high"] = "medium"
    min_posts: Count = 8
    min_authors: Count = 4
    warm_up_windows: Count = 12
    cool_down_seconds: Annotated[int, msgspec.Meta(ge=0)] = 0
    daily_budget: Count | None = 10
    maintenance: tuple[MaintenanceSettings, ...] = ()
