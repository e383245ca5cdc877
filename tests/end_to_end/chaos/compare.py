"""A run held against its reference: what is lost, what was counted twice, what differs."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from tests.end_to_end.chaos.outputs import Key, Written

Kinds = dict[str, list[Written]]
SHOWN = 8  # examples


class Difference(dict[str, Any]):
    """Keys that are missing, that are too many, and those whose record is another."""

    @property
    def is_none(self) -> bool:
        """Whether both are the same, byte for byte."""
        return not any(self[name] for name in ("missing", "extra", "differing"))


def final_records(written: Iterable[Written]) -> dict[Key, bytes]:
    """The newest final record of each key."""
    return {record.key: record.value for record in written if record.is_final}


def difference(found: Kinds, wanted: Kinds, kind: str) -> Difference:
    """How the final records of a kind differ from the reference's."""
    ours, theirs = final_records(found.get(kind, [])), final_records(wanted.get(kind, []))
    missing, extra = theirs.keys() - ours.keys(), ours.keys() - theirs.keys()
    differing = [key for key in ours.keys() & theirs.keys() if ours[key] != theirs[key]]
    fields = Counter(f for key in differing for f in _fields(ours[key], theirs[key]))
    examples = [
        *(("missing", key) for key in sorted(missing, key=str)[:SHOWN]),
        *(("extra", key) for key in sorted(extra, key=str)[:SHOWN]),
        *(("differing", key) for key in sorted(differing, key=str)[:SHOWN]),
    ]
    return Difference(
        missing=len(missing),
        extra=len(extra),
        differing=len(differing),
        fields=dict(fields),
        examples=[[what, *key] for what, key in examples],
    )


def _fields(ours: bytes, theirs: bytes) -> list[str]:
    one, other = json.loads(ours), json.loads(theirs)
    found = [name for name in one.keys() | other.keys() if one.get(name) != other.get(name)]
    return found or ["the bytes alone"]  # as of 27 and 27.0


def duplicates(found: Kinds) -> dict[str, int]:
    """Records that were written again under the same key and pane, and those not the same then."""
    values: dict[tuple[Any, ...], list[Written]] = defaultdict(list)
    for kind, written in found.items():
        for record in written:
            values[kind, record.key, record.pane].append(record)
    again = [some for some in values.values() if len(some) > 1]
    uneven = [some for some in again if len({record.value for record in some}) > 1]
    final = sum(some[0].is_final for some in uneven)
    return {
        "by_key_pane": sum(len(some) - 1 for some in again),
        "differing_final": final,
        "differing_other": len(uneven) - final,
    }


def is_complete(found: Kinds, wanted: Kinds) -> bool:
    """Whether nothing is missing and everything is as in the reference."""
    return all(difference(found, wanted, kind).is_none for kind in wanted)


def longest_gap(times: list[float]) -> float:
    """The longest time without any output, between the first and the last."""
    ordered = sorted(times)
    gaps = [later - earlier for earlier, later in pairwise(ordered)]
    return max(gaps, default=0.0)
