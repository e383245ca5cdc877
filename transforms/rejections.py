"""Dead letters: from a refused delivery to a counted `Rejection`."""

from __future__ import annotations

import msgspec

from schemas.metrics import DEAD_LETTERS
from schemas.records import Delivery, Rejection
from transforms.counters import counter
from transforms.refusals import Refused

REJECTIONS = "rejections"
MAX_DETAIL_CHARACTERS = 500


def build_rejection(delivery: Delivery, refused: Refused) -> Rejection:
    """The dead letter of `delivery`: its original bytes, its place, and what `refused` says."""
    return Rejection(
        original=delivery.value,
        position=delivery.position,
        stage=refused.stage,
        cause=refused.cause,
        detail=_storable(refused.detail),
        channel=delivery.channel,
        root=delivery.root,
        attempts=delivery.attempts,
    )


def reject(delivery: Delivery, refused: Refused) -> Rejection:
    """The dead letter of `delivery`, counted by stage and cause."""
    counter(DEAD_LETTERS, stage=refused.stage, cause=refused.cause).inc()
    return build_rejection(delivery, refused)


def without_original(letter: Rejection) -> Rejection:
    """A dead letter whose record is too large to go with it; the record stays where it stood."""
    size = f"{len(letter.original):,} bytes, too large to be kept here: read them where they stood"
    return msgspec.structs.replace(letter, original=b"", detail=f"{letter.detail} [{size}]")


def _storable(detail: str) -> str:
    """Short, and free of what JSON in UTF-8 cannot carry."""
    return detail[:MAX_DETAIL_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
