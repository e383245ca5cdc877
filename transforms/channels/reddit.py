"""Adapter: Reddit submissions (t3) and comments (t1), bare or as a listing's child."""

from __future__ import annotations

import html
from typing import Any, Final

import msgspec

from schemas.records import SourcePost
from transforms.channels.payload import Payload, id_of, shape
from transforms.channels.timestamps import parse_timestamp
from transforms.refusals import Refused

TIME_PATHS: Final = ("data.created_utc", "created_utc")
_REMOVED: Final = frozenset({"[deleted]", "[removed]"})
_IMAGE_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp", ".gif")


class _Source(msgspec.Struct):
    url: str


class _Preview(msgspec.Struct):
    source: _Source


class _Previews(msgspec.Struct):
    images: tuple[_Preview, ...] = ()


class _Sizes(msgspec.Struct):
    u: str | None = None


class _GalleryImage(msgspec.Struct):
    s: _Sizes | None = None


class _Thing(msgspec.Struct):
    name: str | None = None
    id: str | None = None
    created_utc: Any = None
    title: str | None = None
    selftext: str | None = None
    body: str | None = None
    author: str | None = None
    author_fullname: str | None = None
    permalink: str | None = None
    subreddit_subscribers: int | None = None
    crosspost_parent: str | None = None
    url_overridden_by_dest: str | None = None
    preview: _Previews | None = None
    media_metadata: dict[str, _GalleryImage] | None = None


def read_post(payload: Payload) -> SourcePost:
    """The submission or comment."""
    thing = shape(payload["data"] if isinstance(payload.get("data"), dict) else payload, _Thing)
    return SourcePost(
        channel="reddit",
        post_id=_full_name(thing),
        created_at=parse_timestamp(thing.created_utc),
        text=_text_of(thing),
        author_id=thing.author_fullname or thing.author or "",
        reach=thing.subreddit_subscribers or 0,
        is_repost=thing.crosspost_parent is not None,
        permalink=f"https://www.reddit.com{thing.permalink}" if thing.permalink else None,
        images=_images_of(thing),
    )


def _full_name(thing: _Thing) -> str:
    """Reddit's full name (t1_…, t3_…): bare ids of the two kinds may be equal."""
    if thing.name:
        return id_of(thing.name)
    return f"{'t3' if thing.body is None else 't1'}_{id_of(thing.id)}"


def _text_of(thing: _Thing) -> str:
    if thing.body is None and thing.title is None:
        raise Refused("missing_field", "neither `body` nor `title`: no comment and no submission")
    parts = (thing.title, thing.selftext, thing.body)
    return "\n".join(part for part in parts if part and part not in _REMOVED)


def _images_of(thing: _Thing) -> tuple[str, ...]:
    """Gallery, linked image, or preview, in that order; Reddit escapes & in these addresses."""
    gallery = [i.s.u for i in (thing.media_metadata or {}).values() if i.s and i.s.u]
    linked = thing.url_overridden_by_dest or ""
    if not gallery and linked.lower().split("?")[0].endswith(_IMAGE_SUFFIXES):
        gallery = [linked]
    previews = [image.source.url for image in thing.preview.images] if thing.preview else []
    return tuple(html.unescape(url) for url in gallery or previews)
