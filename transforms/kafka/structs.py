"""How restrictions, watermark states and records travel between workers: MessagePack."""

from __future__ import annotations

from typing import Any

import msgspec
from apache_beam import coders


class MessagePackCoder(coders.Coder):
    """Coder for one struct or named tuple; equal values give equal bytes."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind

    def encode(self, value: Any) -> bytes:
        """MessagePack bytes of `value`."""
        return msgspec.msgpack.encode(value, order="deterministic")

    def decode(self, encoded: bytes) -> Any:
        """The value that `encoded` holds."""
        return msgspec.msgpack.decode(encoded, type=self._kind)

    def is_deterministic(self) -> bool:
        """Fields come in their declared order."""
        return True

    def to_type_hint(self) -> Any:
        """The type of the values."""
        return self._kind

    @classmethod
    def from_type_hint(cls, typehint: Any, registry: Any) -> Any:
        """The coder for values of a type."""
        return cls(typehint)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MessagePackCoder) and self._kind is other._kind

    def __hash__(self) -> int:
        return hash(self._kind)
