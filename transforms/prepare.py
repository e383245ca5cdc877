"""Decode, clean and check one post without Beam, from the functions that the stages use."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from secrets import token_bytes
from typing import Final

from schemas.records import Delivery, Post
from transforms.brands import Brand
from transforms.channels.payload import Limits
from transforms.channels.registry import DEFAULT_LIMITS, read_source_post
from transforms.cleaner import Cleaner
from transforms.contract import check_contract

SCORING_LIMITS: Final = Limits(max_record_bytes=64 * 1024 * 1024)  # images may be `data:` URIs


def prepare_post(
    delivery: Delivery,
    cleaner: Cleaner,
    limits: Limits = DEFAULT_LIMITS,
    default_time: datetime | None = None,
) -> Post:
    """The clean post in `delivery`, its images not attached yet.

    `default_time` stands in for a missing `created_at`, for scoring without a stream.

    Raises:
        Refused: the post is a dead letter; `stage`, `cause` and `detail` say why.
    """
    return check_contract(cleaner.clean(delivery, read_source_post(delivery, limits, default_time)))


@dataclass
class Preparer:
    """Prepares posts one by one; without a key, pseudonyms last as long as the preparer."""

    brands: tuple[Brand, ...] = ()
    author_key: bytes = field(default_factory=lambda: token_bytes(32))
    limits: Limits = SCORING_LIMITS
    default_time: datetime | None = None

    @cached_property
    def cleaner(self) -> Cleaner:
        """The cleaner, built at the first post."""
        return Cleaner(self.brands, self.author_key)

    def prepare(self, delivery: Delivery) -> Post:
        """The clean post in `delivery`.

        Raises:
            Refused: the post is a dead letter.
        """
        return prepare_post(delivery, self.cleaner, self.limits, self.default_time)
