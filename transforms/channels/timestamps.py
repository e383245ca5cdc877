"""The times that channels write, as aware UTC datetimes."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from transforms.refusals import Refused

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
MILLISECONDS_FROM: Final = 1e11  # as seconds this would be the year 5138
_TWITTER_V1: Final = "%a %b %d %H:%M:%S %z %Y"
_EPOCH: Final = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,9})?")
_RFC_822: Final = re.compile(r"(?:[A-Z][a-z]{2}, ?)?[0-9]{1,2} [A-Z][a-z]{2} [0-9]{2,4} [0-9]{2}:")


def parse_timestamp(value: Any) -> datetime:
    """Read ISO 8601, Twitter v1, RFC 822 (RSS), or epoch seconds or milliseconds; UTC if unsaid.

    >>> parse_timestamp("Thu Oct 25 21:00:34 +0000 2012").isoformat()
    '2012-10-25T21:00:34+00:00'

    Raises:
        Refused: `missing_field`, `bad_timestamp`, or `clock_out_of_range` beyond any calendar.
    """
    if value is None or value == "":
        raise Refused("missing_field", "the post does not say when it was created")
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Refused("bad_timestamp", f"{type(value).__name__} is not a time")
    if isinstance(value, str) and not _EPOCH.fullmatch(value.strip()):
        return _from_text(value.strip())
    try:
        return _from_epoch(float(value))
    except OverflowError:  # JSON's integers know no end
        raise Refused("clock_out_of_range", "a number beyond any calendar") from None


def check_clock(created_at: datetime, now: float, max_ahead_seconds: float) -> None:
    """Refuse a post from before 2000 or from the future: its window would never close in order.

    Raises:
        Refused: `clock_out_of_range`.
    """
    if created_at < EARLIEST or created_at.timestamp() > now + max_ahead_seconds:
        raise Refused("clock_out_of_range", f"the post says {created_at.isoformat()}")


def _from_epoch(number: float) -> datetime:
    if math.isnan(number):
        raise Refused("bad_timestamp", "NaN is not a time")
    seconds = number / 1000 if abs(number) >= MILLISECONDS_FROM else number
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise Refused("clock_out_of_range", f"{number:g} is beyond any calendar") from None


def _from_text(text: str) -> datetime:
    for parse in (datetime.fromisoformat, _from_twitter_v1, _from_rfc_822):
        try:
            parsed = parse(text)
            return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    raise Refused("bad_timestamp", f"not a time that channels write: {text[:60]!r}")


def _from_twitter_v1(text: str) -> datetime:
    return datetime.strptime(text, _TWITTER_V1)


def _from_rfc_822(text: str) -> datetime:
    if not _RFC_822.match(text):
        raise ValueError(text)
    return parsedate_to_datetime(text)
