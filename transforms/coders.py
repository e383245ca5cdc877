"""How records travel between Beam workers: MessagePack by msgspec, validated when read."""

from __future__ import annotations

from typing import Any

import msgspec
from apache_beam import coders

from schemas import records


class StructCoder(coders.Coder):
    """MessagePack coder for one record type; `sort_keys=False` for dicts keyed by numbers."""

    def __init__(self, kind: type[msgspec.Struct], sort_keys: bool = True) -> None:
        self.kind = kind
        self.sort_keys = sort_keys

    def encode(self, value: Any) -> bytes:
        """MessagePack bytes of `value`, fields in declared order."""
        return msgspec.msgpack.encode(value, order="deterministic" if self.sort_keys else None)

    def decode(self, encoded: bytes) -> Any:
        """The record that `encoded` holds."""
        return msgspec.msgpack.decode(encoded, type=self.kind)

    def is_deterministic(self) -> bool:
        """Sorted, equal records always give equal bytes, so they may be keys."""
        return self.sort_keys

    def to_type_hint(self) -> type[msgspec.Struct]:
        """The record type."""
        return self.kind

    @classmethod
    def from_type_hint(cls, typehint: Any, registry: Any) -> Any:
        """The coder for a record type named in a type hint."""
        return cls(typehint)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StructCoder) and self.kind is other.kind

    def __hash__(self) -> int:
        return hash(self.kind)


TRAVELLERS: tuple[type[msgspec.Struct], ...] = (
    records.Delivery,
    records.SourcePost,
    records.Media,
    records.Slice,
    *records.RECORDS,
)

for traveller in TRAVELLERS:
    coders.registry.register_coder(traveller, StructCoder)
