"""Adapter: X API v2 posts, bare or as the filtered stream delivers them {data, includes, …}."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from schemas.records import SourcePost
from transforms.channels.payload import Payload, id_of, shape
from transforms.channels.timestamps import parse_timestamp

TIME_PATHS: Final = ("data.created_at", "created_at")


class _Note(msgspec.Struct):
    text: str


class _Reference(msgspec.Struct):
    type: str
    id: str


class _PostMetrics(msgspec.Struct):
    impression_count: int | None = None


class _Attachments(msgspec.Struct):
    media_keys: tuple[str, ...] = ()


class _Geo(msgspec.Struct):
    place_id: str | None = None


class _XPost(msgspec.Struct):
    text: str
    id: str | None = None
    created_at: Any = None
    author_id: str | None = None
    lang: str | None = None
    note_tweet: _Note | None = None
    public_metrics: _PostMetrics | None = None
    referenced_tweets: tuple[_Reference, ...] = ()
    attachments: _Attachments | None = None
    geo: _Geo | None = None


class _UserMetrics(msgspec.Struct):
    followers_count: int = 0


class _User(msgspec.Struct):
    id: str
    public_metrics: _UserMetrics | None = None


class _Medium(msgspec.Struct):
    media_key: str
    url: str | None = None
    preview_image_url: str | None = None


class _Place(msgspec.Struct):
    id: str
    country_code: str | None = None


class _Includes(msgspec.Struct):
    users: tuple[_User, ...] = ()
    media: tuple[_Medium, ...] = ()
    places: tuple[_Place, ...] = ()
    tweets: tuple[_XPost, ...] = ()


class _Delivered(msgspec.Struct):
    data: _XPost
    includes: _Includes = msgspec.field(default_factory=_Includes)


def read_post(payload: Payload) -> SourcePost:
    """The post in one line of the filtered stream, or a bare post object."""
    delivered = shape(payload if "data" in payload else {"data": payload}, _Delivered)
    post, includes = delivered.data, delivered.includes
    author = next((user for user in includes.users if user.id == post.author_id), None)
    post_id = id_of(post.id)
    return SourcePost(
        channel="x",
        post_id=post_id,
        created_at=parse_timestamp(post.created_at),
        text=_text_of(post, includes),
        author_id=post.author_id or "",
        lang=post.lang,
        country=_country_of(post, includes),
        reach=_reach_of(post, author),
        is_repost=_reposted_id(post) is not None,
        permalink=f"https://x.com/i/web/status/{post_id}",  # the form that names nobody
        images=_images_of(post, includes),
    )


def _reposted_id(post: _XPost) -> str | None:
    return next((r.id for r in post.referenced_tweets if r.type == "retweeted"), None)


def _text_of(post: _XPost, includes: _Includes) -> str:
    """The whole text: X cuts reposts and long posts short in `text` itself."""
    original = next((t for t in includes.tweets if t.id == _reposted_id(post)), None)
    if original is None:
        return post.note_tweet.text if post.note_tweet else post.text
    prefix, colon, _ = post.text.partition(": ")
    whole = original.note_tweet.text if original.note_tweet else original.text
    return f"{prefix}{colon}{whole}" if prefix.startswith("RT @") else whole


def _reach_of(post: _XPost, author: _User | None) -> int:
    """Impressions where X tells them, followers otherwise."""
    if post.public_metrics and post.public_metrics.impression_count:
        return post.public_metrics.impression_count
    return author.public_metrics.followers_count if author and author.public_metrics else 0


def _country_of(post: _XPost, includes: _Includes) -> str | None:
    place_id = post.geo.place_id if post.geo else None
    return next((p.country_code for p in includes.places if p.id == place_id), None)


def _images_of(post: _XPost, includes: _Includes) -> tuple[str, ...]:
    keys = post.attachments.media_keys if post.attachments else ()
    media = {medium.media_key: medium for medium in includes.media}
    found = (media[key] for key in keys if key in media)
    return tuple(url for m in found if (url := m.url or m.preview_image_url))
