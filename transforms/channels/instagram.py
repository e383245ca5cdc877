"""Adapter: Instagram media and comments, as the Instagram Graph API returns them."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from schemas.records import SourcePost
from transforms.channels.payload import Payload, id_of, shape
from transforms.channels.timestamps import parse_timestamp

TIME_PATHS: Final = ("timestamp",)


class _From(msgspec.Struct):
    id: str | None = None
    username: str | None = None


class _Child(msgspec.Struct):
    media_type: str | None = None
    media_url: str | None = None
    thumbnail_url: str | None = None


class _Children(msgspec.Struct):
    data: tuple[_Child, ...] = ()


class _InstagramPost(_Child):
    id: str | None = None
    timestamp: Any = None
    caption: str | None = None
    text: str | None = None
    username: str | None = None
    sender: _From | None = msgspec.field(default=None, name="from")
    permalink: str | None = None
    like_count: int | None = None
    children: _Children | None = None


def read_post(payload: Payload) -> SourcePost:
    """The media object or comment; an album gives its pictures, a video its thumbnail."""
    post = shape(payload, _InstagramPost)
    sender = post.sender or _From()
    return SourcePost(
        channel="instagram",
        post_id=id_of(post.id),
        created_at=parse_timestamp(post.timestamp),
        text=post.caption or post.text or "",
        author_id=sender.id or sender.username or post.username or "",
        reach=post.like_count or 0,
        permalink=post.permalink,
        images=_images_of(post),
    )


def _images_of(post: _InstagramPost) -> tuple[str, ...]:
    shown = post.children.data if post.children else (post,)
    return tuple(url for child in shown if (url := _image_of(child)))


def _image_of(child: _Child) -> str | None:
    return child.thumbnail_url if child.media_type == "VIDEO" else child.media_url
