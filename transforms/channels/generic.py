"""Adapter: Moodwire's own JSON, for channels that have no adapter (docs/channels.md)."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from schemas.records import SourcePost
from transforms.channels.payload import Payload, id_of, shape
from transforms.channels.timestamps import parse_timestamp
from transforms.refusals import Refused

TIME_PATHS: Final = ("created_at",)
CHANNEL: Final = "generic"
_CHANNEL_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,31}")


class _GenericPost(msgspec.Struct):
    text: str
    post_id: str | int | None = None
    created_at: Any = None
    channel: str | None = None
    author_id: str | int | None = None
    author: str | None = None
    lang: str | None = None
    country: str | None = None
    reach: int | None = None
    is_repost: bool | None = None
    permalink: str | None = None
    url: str | None = None
    images: list[str] | None = None


def read_post(payload: Payload) -> SourcePost:
    """The post in Moodwire's generic JSON form."""
    post = shape(payload, _GenericPost)
    author = post.author_id if post.author_id is not None else post.author
    return SourcePost(
        channel=channel_name(post.channel or CHANNEL),
        post_id=id_of(post.post_id),
        created_at=parse_timestamp(post.created_at),
        text=post.text,
        author_id="" if author is None else str(author),
        lang=post.lang,
        country=post.country,
        reach=post.reach or 0,
        is_repost=bool(post.is_repost),
        permalink=post.permalink or post.url,
        images=tuple(post.images or ()),
    )


def channel_name(name: str) -> str:
    """A channel's name as it labels posts and metrics.

    Raises:
        Refused: `unknown_channel`, it is no plain lower-case name.
    """
    folded = name.strip().lower()
    if not _CHANNEL_NAME.fullmatch(folded):
        raise Refused("unknown_channel", f"{name[:40]!r} is not a plain channel name")
    return folded
