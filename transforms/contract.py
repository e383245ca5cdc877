"""The record contract of a post: what its types and later stages rely on."""

from __future__ import annotations

from typing import Final

import msgspec

from schemas.records import Post, decode, encode
from transforms.refusals import Refused

STAGE: Final = "validate"


def check_contract(post: Post) -> Post:
    """`post` itself, once it has been written and read back as its schema demands.

    Raises:
        Refused: `contract`, the detail naming the field; stage validate.
    """
    try:
        same = decode(encode(post), Post) == post
    except (msgspec.ValidationError, UnicodeEncodeError, OverflowError, TypeError) as error:
        raise Refused("contract", str(error), STAGE) from None
    if not same or post.created_at.tzinfo is None:
        raise Refused("contract", "created_at: not an aware time, or a field is lost", STAGE)
    return post
