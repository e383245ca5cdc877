"""Adapter: news items, RSS or Atom, as XML or as the JSON that feedparser makes of them."""

from __future__ import annotations

import io
from typing import Any, Final

import feedparser  # type: ignore[import-untyped]  # publishes no types
import msgspec
from w3lib.html import remove_tags

from schemas.records import SourcePost
from transforms.channels.payload import Payload, id_of, parse_json, shape
from transforms.channels.timestamps import parse_timestamp
from transforms.refusals import Refused

TIME_PATHS: Final = ("published", "pubDate", "updated", "date")
_WRAPPERS: Final = {
    b"<item": (b"<rss version='2.0'><channel>", b"</channel></rss>"),
    b"<entry": (b"<feed xmlns='http://www.w3.org/2005/Atom'>", b"</feed>"),
}


class _Link(msgspec.Struct):
    url: str | None = None
    href: str | None = None
    type: str | None = None
    medium: str | None = None


class _Content(msgspec.Struct):
    value: str = ""


class _NewsItem(msgspec.Struct):
    title: str | None = None
    id: str | None = None
    guid: str | None = None
    link: str | None = None
    summary: str | None = None
    description: str | None = None
    content: tuple[_Content, ...] = ()
    published: Any = None
    pub_date: Any = msgspec.field(default=None, name="pubDate")
    updated: Any = None
    date: Any = None
    author: str | None = None
    language: str | None = None
    media_content: tuple[_Link, ...] = ()
    media_thumbnail: tuple[_Link, ...] = ()
    enclosures: tuple[_Link, ...] = ()


def parse_item(value: bytes) -> Payload:
    """One item of JSON or XML; XML with a document type is refused, so no entity can grow.

    Raises:
        Refused: a cause of `parse_json`, `unsafe_xml`, `not_utf8` or `not_xml`.
    """
    if not value.lstrip().startswith(b"<"):
        return parse_json(value)
    if any(word in value.upper() for word in (b"<!DOCTYPE", b"<!ENTITY")):
        raise Refused("unsafe_xml", "a document type or entity declaration")
    _check_utf8(value)
    entries = _entries_of(_wrap(value))
    if len(entries) != 1:
        raise Refused("not_xml", f"one item a record, found {len(entries)}")
    links = entries[0].get("links", [])
    return {**entries[0], "enclosures": [link for link in links if link.get("rel") == "enclosure"]}


def _entries_of(feed: bytes) -> Any:
    try:
        return feedparser.parse(io.BytesIO(feed), sanitize_html=False).entries
    except Exception as error:  # it stumbles over its own repairs, in more ways than it names
        raise Refused("not_xml", f"{type(error).__name__}: {error}") from None


def read_post(payload: Payload) -> SourcePost:
    """The news item: headline, then its text without markup."""
    item = shape(payload, _NewsItem)
    if item.title is None and not _body_of(item):
        raise Refused("missing_field", "neither `title` nor `summary`: no news item")
    when = (item.published, item.pub_date, item.updated, item.date)
    return SourcePost(
        channel="news",
        post_id=id_of(item.id or item.guid or item.link),
        created_at=parse_timestamp(next(filter(None, when), None)),
        text="\n".join(filter(None, (_plain(item.title or ""), _plain(_body_of(item))))),
        author_id=item.author or "",
        lang=item.language,
        permalink=item.link,
        images=_images_of(item),
    )


def _check_utf8(value: bytes) -> None:
    try:
        value.decode()
    except UnicodeDecodeError as error:
        raise Refused("not_utf8", str(error)) from None


def _wrap(value: bytes) -> bytes:
    """A bare item inside the feed that it came from, as far as a parser needs one."""
    for start, (before, after) in _WRAPPERS.items():
        if value.lstrip().startswith(start):
            return before + value + after
    return value


def _body_of(item: _NewsItem) -> str:
    return item.summary or item.description or next((c.value for c in item.content), "")


def _plain(markup: str) -> str:
    return " ".join(remove_tags(markup).split())


def _images_of(item: _NewsItem) -> tuple[str, ...]:
    links = (*item.media_content, *item.enclosures, *item.media_thumbnail)
    found = [link.url or link.href for link in links if _is_image(link)]
    return tuple(dict.fromkeys(url for url in found if url))


def _is_image(link: _Link) -> bool:
    kind = link.type or link.medium or "image"
    return kind.startswith("image")
