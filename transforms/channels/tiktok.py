"""Adapter: TikTok videos and comments, as the Research and Display APIs return them."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from schemas.records import SourcePost
from transforms.channels.payload import Payload, id_of, shape
from transforms.channels.timestamps import parse_timestamp
from transforms.refusals import Refused

TIME_PATHS: Final = ("create_time",)


class _TikTokPost(msgspec.Struct):
    id: str | int | None = None
    create_time: Any = None
    video_description: str | None = None
    title: str | None = None
    text: str | None = None
    username: str | None = None
    region_code: str | None = None
    view_count: int | None = None
    video_id: str | int | None = None
    cover_image_url: str | None = None


def read_post(payload: Payload) -> SourcePost:
    """The video (by its description and cover) or comment."""
    post = shape(payload, _TikTokPost)
    post_id = id_of(post.id)
    return SourcePost(
        channel="tiktok",
        post_id=post_id,
        created_at=parse_timestamp(post.create_time),
        text=_text_of(post),
        author_id=post.username or "",
        country=post.region_code,
        reach=post.view_count or 0,
        permalink=f"https://www.tiktok.com/@/video/{post.video_id or post_id}",  # names nobody
        images=(post.cover_image_url,) if post.cover_image_url else (),
    )


def _text_of(post: _TikTokPost) -> str:
    texts = (post.text, post.video_description, post.title)
    found = next((text for text in texts if text is not None), None)
    if found is None:
        raise Refused("missing_field", "neither `text` nor `video_description` nor `title`")
    return found
