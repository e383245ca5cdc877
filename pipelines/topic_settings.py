"""The part of the settings that says how topics are followed and when a new one is told of."""

from __future__ import annotations

from typing import Annotated

import msgspec

from pipelines.strict import Count, Strict

Hours = Annotated[int, msgspec.Meta(ge=1, le=168)]


class TopicSettings(Strict, frozen=True, kw_only=True):
    """What people talk about in each hour, and when a subject that was never there is told of."""

    enabled: bool = True
    most_per_hour: Annotated[int, msgspec.Meta(ge=1, le=50)] = 10
    remember_days: Annotated[int, msgspec.Meta(ge=1, le=60)] = 7
    warm_up_hours: Hours = 24
    gone_hours: Hours = 3
    min_posts: Count = 12
    min_authors: Annotated[int, msgspec.Meta(ge=3)] = 8
    min_share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.1

    def __post_init__(self) -> None:
        if self.min_authors > self.min_posts:
            raise ValueError(
                f"min_authors: {self.min_authors} people cannot write {self.min_posts} posts "
                "(`min_posts`); lower it"
            )
        if self.gone_hours > 24 * self.remember_days:
            raise ValueError(
                f"gone_hours: {self.gone_hours} is longer than topics are known "
                f"(`remember_days`: {self.remember_days}); lower it"
            )
