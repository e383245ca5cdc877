"""The part of the settings that asks for a summary of each day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import time
from typing import Annotated, Any

import msgspec

from pipelines.digest.days import zone_of
from pipelines.strict import Strict

SHORTEST_DAY = 23 * 3600  # when clocks are put forward


class DigestSettings(Strict, frozen=True, kw_only=True):
    """When the digest of a day is sent, in whose clock, about whom and to whom."""

    at: Any = "07:00"
    timezone: str = "UTC"
    brands: tuple[str, ...] = ()
    sinks: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]

    def __post_init__(self) -> None:
        parse_time(self.at)
        try:
            zone_of(self.timezone)
        except ValueError as error:
            raise ValueError(f"timezone: {error}") from None

    def problems(
        self, brands: Sequence[str], receivers: Sequence[str], window_seconds: int
    ) -> Iterator[str]:
        """What does not fit to the other settings, each with its key and remedy."""
        for name in self.brands:
            if name not in brands:
                yield (
                    f"digest.brands: {name!r} is none of `brands`; name one of them, or leave "
                    "`digest.brands` out for all"
                )
        for name in self.sinks:
            if name not in receivers:
                known = ", ".join(receivers) or "there are none"
                yield (
                    f"digest.sinks: {name!r} is no name of `delivery.webhooks` or "
                    f"`delivery.services` ({known}); add it there"
                )
        if window_seconds > SHORTEST_DAY:
            yield (
                f"digest: windows of {window_seconds} s do not fit into a day; choose "
                f"windows.size_seconds up to {SHORTEST_DAY}, or leave `digest` out"
            )

    @property
    def time(self) -> time:
        """When it is sent, of the day after."""
        return parse_time(self.at)


def parse_time(value: object) -> time:
    """A time of day as a person writes it.

    >>> parse_time("07:30")
    datetime.time(7, 30)

    Raises:
        ValueError: it is none. Without quotes YAML reads 17:30 as the number 1050.
    """
    hours, _, minutes = value.partition(":") if isinstance(value, str) else ("", "", "")
    try:
        return time(int(hours), int(minutes))
    except ValueError:
        problem = f'at: {value!r} is no time of day; write it in quotes, as "07:30"'
        raise ValueError(problem) from None
