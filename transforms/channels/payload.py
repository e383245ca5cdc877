"""From delivered bytes to a typed payload, every way to fail with its name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from schemas.records import SourcePost
from transforms.refusals import Refused

T = TypeVar("T")
Payload = dict[str, Any]
MAX_REACH = 10**12  # sums of a million such still fit into 64 bits


@dataclass(frozen=True)
class Limits:
    """How large a record and its text may be, and how far a post may be ahead of the clock."""

    max_record_bytes: int = 1024 * 1024
    max_text_bytes: int = 256 * 1024
    max_ahead_seconds: float = 86_400.0


def parse_json(value: bytes) -> Payload:
    """The JSON object in `value`.

    Raises:
        Refused: `empty`, `not_utf8`, `not_json`, `lone_surrogate` or `wrong_type`.
    """
    if not value.strip():
        raise Refused("empty", "the record has no content")
    payload = _decode(value)
    if not isinstance(payload, dict):
        raise Refused("wrong_type", f"a post is a JSON object, not {type(payload).__name__}")
    return payload


def _decode(value: bytes) -> Any:
    try:
        return msgspec.json.decode(value.removeprefix(b"\xef\xbb\xbf"))
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError) as error:
        raise Refused(_cause(value), str(error)) from None


def _cause(value: bytes) -> str:
    """Why `value` could not be decoded."""
    try:
        value.decode()
    except UnicodeDecodeError:
        return "not_utf8"
    return "lone_surrogate" if _has_lone_surrogate(value) else "not_json"


def _has_lone_surrogate(value: bytes) -> bool:
    r"""Whether Python's laxer parser reads half a pair such as "\ud83d" in `value`."""
    if b"\\u" not in value:
        return False
    try:
        text = json.dumps(json.loads(value), ensure_ascii=False)
    except (ValueError, RecursionError):
        return False
    return any("\ud800" <= character <= "\udfff" for character in text)


def shape(payload: Payload, kind: type[T]) -> T:
    """`payload` as a `kind`, numbers in strings read as numbers.

    Raises:
        Refused: `missing_field` or `wrong_type`, the detail naming the field.
    """
    try:
        return msgspec.convert(payload, type=kind, strict=False)
    except msgspec.ValidationError as error:
        missing = "missing required field" in str(error)
        raise Refused("missing_field" if missing else "wrong_type", str(error)) from None


def id_of(value: str | int | None) -> str:
    """A post's id as text.

    Raises:
        Refused: `no_id`, there is none.
    """
    if value is None or not str(value).strip():
        raise Refused("no_id", "the post has no id, so a redelivery could not be recognised")
    return str(value).strip()


def check_reach(post: SourcePost) -> None:
    """Refuse a count that no crowd makes: JSON's integers know no end, records' have 64 bits.

    Raises:
        Refused: `too_large`.
    """
    if abs(post.reach) > MAX_REACH:
        raise Refused("too_large", f"a reach of more than {MAX_REACH:,}")


def check_strings(post: SourcePost, limits: Limits) -> None:
    """Refuse text that is too large and strings that no store takes.

    Raises:
        Refused: `too_large`, `null_byte` or `lone_surrogate`.
    """
    for name, text in _strings(post):
        if "\x00" in text:
            raise Refused("null_byte", f"{name} contains U+0000")
        if not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text):
            raise Refused("lone_surrogate", f"{name} contains half of a surrogate pair")
    size = len(post.text.encode())
    if size > limits.max_text_bytes:
        raise Refused("too_large", f"text of {size} bytes, at most {limits.max_text_bytes}")


def _strings(post: SourcePost) -> Iterator[tuple[str, str]]:
    for name in ("post_id", "text", "author_id", "lang", "country", "permalink"):
        if text := getattr(post, name):
            yield name, text
    for image in post.images:
        yield "images", image
