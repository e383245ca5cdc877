"""Small posts with numbered identities, for the growth of the dedupe stage's state."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from schemas.records import Delivery, Position, Post

WHEN = datetime(2026, 6, 18, tzinfo=UTC)
HERE = Position("posts", 0, 0)


def as_post(decoded: dict[str, Any]) -> tuple[Delivery, Post]:
    """What reaches the dedupe stage for a record, whose `id` is its identity."""
    post = Post(
        channel="generic",
        post_id=str(decoded["id"]),
        created_at=WHEN,
        author="0",
        text="",
        model_text="",
        position=HERE,
    )
    return Delivery(value=b"", position=HERE), post
