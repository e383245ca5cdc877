"""Adapter: Facebook page posts and comments, as the Graph API returns them."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from schemas.records import SourcePost
from transforms.channels.payload import Payload, id_of, shape
from transforms.channels.timestamps import parse_timestamp

TIME_PATHS: Final = ("created_time",)


class _From(msgspec.Struct):
    id: str | None = None
    name: str | None = None


class _Image(msgspec.Struct):
    src: str | None = None


class _Media(msgspec.Struct):
    image: _Image | None = None


class _Attachment(msgspec.Struct):
    media: _Media | None = None
    subattachments: _Attachments | None = None


class _Attachments(msgspec.Struct):
    data: tuple[_Attachment, ...] = ()


class _Count(msgspec.Struct):
    count: int = 0


class _FacebookPost(msgspec.Struct):
    id: str | None = None
    created_time: Any = None
    message: str | None = None
    story: str | None = None
    sender: _From | None = msgspec.field(default=None, name="from")
    permalink_url: str | None = None
    shares: _Count | None = None
    parent_id: str | None = None
    full_picture: str | None = None
    attachments: _Attachments | None = None
    attachment: _Attachment | None = None


def read_post(payload: Payload) -> SourcePost:
    """The page post or comment; `story` stands in where a post has no message."""
    post = shape(payload, _FacebookPost)
    sender = post.sender or _From()
    return SourcePost(
        channel="facebook",
        post_id=id_of(post.id),
        created_at=parse_timestamp(post.created_time),
        text=post.message or post.story or "",
        author_id=sender.id or sender.name or "",
        reach=post.shares.count if post.shares else 0,
        is_repost=post.parent_id is not None,
        permalink=post.permalink_url,
        images=_images_of(post),
    )


def _images_of(post: _FacebookPost) -> tuple[str, ...]:
    tops = (post.attachments or _Attachments()).data
    tops += (post.attachment,) if post.attachment else ()
    leaves = [leaf for top in tops for leaf in (top.subattachments or _Attachments((top,))).data]
    found = [leaf.media.image.src for leaf in leaves if leaf.media and leaf.media.image]
    return tuple(src for src in found or [post.full_picture] if src)
