"""Adapter: YouTube Data API v3 resources: comment threads, comments and videos."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from schemas.records import SourcePost
from transforms.channels.payload import Payload, id_of, shape
from transforms.channels.timestamps import parse_timestamp
from transforms.refusals import Refused

TIME_PATHS: Final = ("snippet.topLevelComment.snippet.publishedAt", "snippet.publishedAt")
_WATCH: Final = "https://www.youtube.com/watch?v="


class _ChannelId(msgspec.Struct):
    value: str | None = None


class _Thumbnail(msgspec.Struct):
    url: str
    width: int = 0


class _Snippet(msgspec.Struct, rename="camel"):
    published_at: Any = None
    text_original: str | None = None
    text_display: str | None = None
    author_channel_id: _ChannelId | None = None
    author_display_name: str | None = None
    video_id: str | None = None
    title: str | None = None
    description: str | None = None
    channel_id: str | None = None
    default_language: str | None = None
    default_audio_language: str | None = None
    thumbnails: dict[str, _Thumbnail] | None = None


class _Statistics(msgspec.Struct, rename="camel"):
    view_count: int | None = None


class _Resource(msgspec.Struct):
    snippet: _Snippet
    id: str | None = None
    statistics: _Statistics | None = None


def read_post(payload: Payload) -> SourcePost:
    """The comment (a thread gives its top one) or video."""
    snippet = payload.get("snippet")
    if isinstance(snippet, dict) and isinstance(snippet.get("topLevelComment"), dict):
        payload = snippet["topLevelComment"]
    resource = shape(payload, _Resource)
    text = resource.snippet.text_original or resource.snippet.text_display
    return _read_video(resource) if text is None else _read_comment(resource, text)


def _read_comment(resource: _Resource, text: str) -> SourcePost:
    snippet, comment_id = resource.snippet, id_of(resource.id)
    author = snippet.author_channel_id.value if snippet.author_channel_id else None
    return SourcePost(
        channel="youtube",
        post_id=comment_id,
        created_at=parse_timestamp(snippet.published_at),
        text=text,
        author_id=author or snippet.author_display_name or "",
        permalink=f"{_WATCH}{snippet.video_id}&lc={comment_id}" if snippet.video_id else None,
    )


def _read_video(resource: _Resource) -> SourcePost:
    snippet, video_id = resource.snippet, id_of(resource.id)
    if snippet.title is None:
        raise Refused("missing_field", "neither a comment's text nor a video's title")
    thumbnails = sorted((snippet.thumbnails or {}).values(), key=lambda t: t.width)
    return SourcePost(
        channel="youtube",
        post_id=video_id,
        created_at=parse_timestamp(snippet.published_at),
        text="\n".join(filter(None, (snippet.title, snippet.description))),
        author_id=snippet.channel_id or "",
        lang=snippet.default_audio_language or snippet.default_language,
        reach=(resource.statistics.view_count or 0) if resource.statistics else 0,
        permalink=f"{_WATCH}{video_id}",
        images=tuple(thumbnail.url for thumbnail in thumbnails[-1:]),
    )
