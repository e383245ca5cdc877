"""Which adapter reads which delivery, and the one way from a delivery to a `SourcePost`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from schemas.records import Delivery, SourcePost
from transforms.channels import facebook, generic, instagram, news, reddit, tiktok, x, youtube
from transforms.channels.payload import Limits, Payload, check_reach, check_strings, parse_json
from transforms.channels.timestamps import check_clock, parse_timestamp
from transforms.refusals import Refused

DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True)
class Adapter:
    """How one channel is read: bytes to payload, payload to post, and where its time stands."""

    read: Callable[[Payload], SourcePost]
    time_paths: tuple[str, ...]
    parse: Callable[[bytes], Payload] = parse_json


ADAPTERS: Final[Mapping[str, Adapter]] = {
    "x": Adapter(x.read_post, x.TIME_PATHS),
    "reddit": Adapter(reddit.read_post, reddit.TIME_PATHS),
    "instagram": Adapter(instagram.read_post, instagram.TIME_PATHS),
    "facebook": Adapter(facebook.read_post, facebook.TIME_PATHS),
    "youtube": Adapter(youtube.read_post, youtube.TIME_PATHS),
    "tiktok": Adapter(tiktok.read_post, tiktok.TIME_PATHS),
    "news": Adapter(news.read_post, news.TIME_PATHS, news.parse_item),
    generic.CHANNEL: Adapter(generic.read_post, generic.TIME_PATHS),
}


def read_source_post(
    delivery: Delivery,
    limits: Limits = DEFAULT_LIMITS,
    default_time: datetime | None = None,
    now: float | None = None,
) -> SourcePost:
    """The post in `delivery`, whatever its channel.

    `default_time` stands in for a generic post's missing `created_at` (for scoring alone); `now`
    is the clock in epoch seconds, the machine's by default.

    Raises:
        Refused: the delivery is no post that Moodwire can place in time and recognise again.
    """
    if len(delivery.value) > limits.max_record_bytes:
        size = len(delivery.value)
        raise Refused("too_large", f"record of {size} bytes, at most {limits.max_record_bytes}")
    adapter, payload = _open(delivery.value, delivery.channel)
    if default_time is not None and adapter is ADAPTERS[generic.CHANNEL]:
        payload = {"created_at": default_time.isoformat()} | payload
    post = adapter.read(payload)
    check_strings(post, limits)
    check_reach(post)
    check_clock(post.created_at, time.time() if now is None else now, limits.max_ahead_seconds)
    if delivery.channel and adapter is ADAPTERS[generic.CHANNEL]:
        return msgspec.structs.replace(post, channel=_label(post, delivery.channel))
    return post


def event_time_of(value: bytes, channel: str | None) -> float | None:
    """When the post in `value` was created, in epoch seconds; None where no time can be trusted."""
    try:
        adapter, payload = _open(value, channel)
        created_at = parse_timestamp(_first(payload, adapter.time_paths))
        check_clock(created_at, time.time(), DEFAULT_LIMITS.max_ahead_seconds)
    except Refused:
        return None
    return created_at.timestamp()


def _open(value: bytes, channel: str | None) -> tuple[Adapter, Payload]:
    """The adapter for `value` and its payload; Moodwire's own JSON is known by its `post_id`."""
    source = ADAPTERS.get(channel or generic.CHANNEL)
    payload = source.parse(value) if source else parse_json(value)
    if "post_id" in payload:
        return ADAPTERS[generic.CHANNEL], payload
    return _adapter(channel or payload.get("channel") or generic.CHANNEL), payload


def _adapter(channel: Any) -> Adapter:
    adapter = ADAPTERS.get(channel) if isinstance(channel, str) else None
    if adapter is None:
        raise Refused("unknown_channel", f"{str(channel)[:40]!r} has no adapter")
    return adapter


def _label(post: SourcePost, channel: str) -> str:
    """The post's own channel where it names one, otherwise that of its source."""
    return generic.channel_name(channel) if post.channel == generic.CHANNEL else post.channel


def _first(payload: Payload, paths: tuple[str, ...]) -> Any:
    found = (_walk(payload, path) for path in paths)
    return next((value for value in found if value is not None), None)


def _walk(payload: Any, path: str) -> Any:
    for key in path.split("."):
        payload = payload.get(key) if isinstance(payload, dict) else None
    return payload
