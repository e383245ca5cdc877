"""What people typed, without what got into it on the way: escapes, invisible signs, trackers."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Callable
from typing import Final

import regex
from w3lib.url import canonicalize_url, url_query_cleaner

MAX_PASSES: Final = 8
TRACKING_PARAMETERS: Final = (
    *("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "utm_id"),
    *("fbclid", "gclid", "dclid", "msclkid", "yclid", "twclid", "igsh", "igshid", "si"),
    *("mc_cid", "mc_eid", "ref_src", "ref_url", "_branch_match_id"),
)
_NESTED_AMPERSAND: Final = regex.compile(r"&(?:(?:amp|#0*38|#x0*26);)+", regex.IGNORECASE)
_ESCAPED_SPACE: Final = regex.compile(r"\\[nrt](?![a-z])")
_CONTROL: Final = regex.compile(r"[\p{Cc}\p{Zl}\p{Zp}\u2800]")
# Joiners stay where they carry meaning: inside an emoji, or between letters of a script other
# than Latin; the tag characters of a regional flag stay too.
_INVISIBLE: Final = regex.compile(
    r"(\U0001F3F4[\U000E0020-\U000E007F]+"
    r"|(?<=[\p{So}\p{Sk}\uFE0F])\u200D(?=\p{So})"
    r"|(?<=[[\p{L}\p{M}]--\p{Latin}])[\u200C\u200D](?=[\p{L}--\p{Latin}]))"
    r"|[\p{Cf}\p{Cs}\p{Noncharacter_Code_Point}\u034F\u115F\u1160\u3164\uFFA0]",
    regex.VERSION1,
)
_URL: Final = regex.compile(
    r"((?:https?://|(?<![\w.@/])www\.)[^\s<>\"]*[^\s<>\".,;:!?)\]}'»”…*])", regex.IGNORECASE
)
_HASHTAG: Final = regex.compile(
    r"(?<![\w&/])[#＃](?=[\d_]*\p{L})([\p{L}\p{M}\p{Nd}_\u200C]{1,100})"
)
_MENTION: Final = regex.compile(r"(?<![\w@/.])@(\w[\w.]*\w|\w)(@[\w.-]+\w)?")
_REDDIT_USER: Final = regex.compile(r"(?<![\w/])/?u/[\w-]{3,20}")
_ELONGATION: Final = regex.compile(r"(\p{L}|[^\w\s])\1{3,}")


def clean_text(text: str) -> str:
    r"""`text` as a person would read it: one line, NFC, no escapes, no invisible characters.

    Entities are unescaped however often they were escaped, zero-width and control characters go
    unless an emoji or a script needs them, addresses lose their tracking. Emoji stay. Never
    raises, and cleaning what is clean changes nothing: passes run until it does not.

    >>> clean_text("Fish &amp;amp; chips\u200b  at https://A.example/?id=1&utm_source=x")
    'Fish & chips at https://a.example/?id=1'
    """
    for _ in range(MAX_PASSES):
        cleaned = _clean_once(text)
        if cleaned == text:
            break
        text = cleaned
    return text


def hashtags_of(text: str) -> tuple[str, ...]:
    """The hashtags in `text`, case-folded, without #, in order, each once.

    >>> hashtags_of("#Acme is #1 at #MorningCoffee, #acme!")
    ('acme', 'morningcoffee')
    """
    found = (match[1].casefold() for match in _HASHTAG.finditer(without_urls(text)))
    return tuple(dict.fromkeys(found))


def mask_mentions(text: str, kept: frozenset[str] = frozenset()) -> str:
    """`text` with everybody's handle as @user, save the case-folded handles in `kept`."""
    if "@" not in text and "u/" not in text:
        return text

    def mask(match: regex.Match[str]) -> str:
        return match[0] if match[0][1:].casefold() in kept else "@user"

    return outside_urls(text, lambda part: _REDDIT_USER.sub("u/user", _MENTION.sub(mask, part)))


def shrink_elongations(text: str) -> str:
    """`text` with runs of four and more of one letter or sign cut to three; digits stay.

    >>> shrink_elongations("soooooo good!!!!! 10000000")
    'sooo good!!! 10000000'
    """
    return outside_urls(text, lambda part: _ELONGATION.sub(r"\1\1\1", part))


def without_urls(text: str) -> str:
    """`text` with a space for each address."""
    return _URL.sub(" ", text)


def outside_urls(text: str, change: Callable[[str], str]) -> str:
    """`text` with `change` applied to all of it but its addresses."""
    parts = _URL.split(text)
    parts[::2] = [change(part) for part in parts[::2]]
    return "".join(parts)


def _clean_once(text: str) -> str:
    if "&" in text:
        text = html.unescape(_NESTED_AMPERSAND.sub("&", text))
    text = _CONTROL.sub(" ", _ESCAPED_SPACE.sub(" ", text))
    if not text.isascii():
        text = unicodedata.normalize("NFC", _INVISIBLE.sub(r"\1", text))
    return " ".join(_URL.sub(_normal_url, text).split())


def _normal_url(match: regex.Match[str]) -> str:
    """The address without tracking and fragment, host in lower case, parameters in order."""
    url = match[0]
    if url[:4].lower() == "www.":
        return url
    try:
        return canonicalize_url(url_query_cleaner(url, TRACKING_PARAMETERS, remove=True))
    except ValueError:
        return url
