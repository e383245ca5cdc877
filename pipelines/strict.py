"""What groups of settings share: they are strict, and their numbers have ranges."""

from __future__ import annotations

from typing import Annotated

import msgspec

A_YEAR = 366 * 86_400  # nobody waits longer, and times that are added to it stay times
Seconds = Annotated[float, msgspec.Meta(ge=0, le=A_YEAR)]
Count = Annotated[int, msgspec.Meta(ge=1)]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Severity = Annotated[int, msgspec.Meta(ge=1, le=10)]
Address = Annotated[str, msgspec.Meta(pattern=r"^https?://")]


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group of settings: immutable, and a key it does not know is an error."""
