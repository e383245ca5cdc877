"""Ids and times as each channel writes them."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Final

from pipelines.demo.generate.story import DAY

_BASE36: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_X_EPOCH_MS: Final = 1_288_834_974_657


def moment(minute: float) -> datetime:
    """A minute of the demo's day, to the second."""
    return DAY + timedelta(seconds=int(minute * 60))


def seed_of(*parts: object) -> int:
    """A number that always belongs to `parts`."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def digits(length: int, *parts: object) -> str:
    """`length` digits that always belong to `parts`, the first not 0."""
    return str(10 ** (length - 1) + seed_of(*parts) % (9 * 10 ** (length - 1)))


def base36(length: int, *parts: object) -> str:
    """`length` letters and digits that always belong to `parts`."""
    number = seed_of(*parts)
    return "".join(_BASE36[number // 36**i % 36] for i in range(length))


def snowflake(minute: float, *parts: object) -> str:
    """An id of X: milliseconds since its epoch, then 22 bits."""
    millis = int(moment(minute).timestamp() * 1000) - _X_EPOCH_MS
    return str((millis << 22) + seed_of(*parts) % (1 << 22))


def iso_z(minute: float) -> str:
    """2026-06-18T14:10:05.000Z."""
    return moment(minute).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def iso_offset(minute: float) -> str:
    """2026-06-18T14:10:05+0000, as the Graph API writes it."""
    return moment(minute).strftime("%Y-%m-%dT%H:%M:%S+0000")


def rfc_822(minute: float) -> str:
    """Thu, 18 Jun 2026 14:10:05 +0000."""
    return format_datetime(moment(minute))


def epoch(minute: float) -> int:
    """Seconds since 1970."""
    return int(moment(minute).timestamp())
