"""Which watched brands a text names: every name of every brand in one automaton."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import ahocorasick
import regex

# Scripts that put no space between words: an edge inside them says nothing about words.
_UNSPACED: Final = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}]"
)
_KATAKANA: Final = regex.compile(r"[\p{Katakana}ー]")
_HANGUL: Final = regex.compile(r"\p{Hangul}")
_NO_WORD_SIGN: Final = regex.compile(r"[^\p{L}\p{M}\p{N}_]")


@dataclass(frozen=True)
class Brand:
    """A watched brand, everything that names it, and what only seems to.

    Handles and hashtags may be written with or without their sign. An exclusion ("apple pie")
    vetoes every match of this brand that it overlaps.
    """

    name: str
    aliases: tuple[str, ...] = ()
    handles: tuple[str, ...] = ()
    hashtags: tuple[str, ...] = ()
    exclusions: tuple[str, ...] = ()


class _Pattern(NamedTuple):
    brand: str
    is_exclusion: bool


class _Match(NamedTuple):
    brand: str
    is_exclusion: bool
    start: int
    end: int

    @property
    def places(self) -> range:
        return range(self.start, self.end)


class BrandMatcher:
    """Finds brands in texts of any script, in one pass however many brands are watched.

    Case, width and spacing do not matter (Unicode case folding of NFKC); word boundaries do,
    in the way of each script: none inside Chinese, Japanese kana or Thai, katakana words whole,
    Korean particles may follow a name.
    """

    def __init__(self, brands: tuple[Brand, ...]) -> None:
        self.handles = frozenset(fold(h).lstrip("@") for b in brands for h in b.handles)
        self._automaton = _build_automaton(brands)

    def match(self, text: str) -> tuple[str, ...]:
        """The names of the brands in `text`, sorted."""
        if self._automaton is None:
            return ()
        folded = fold(text)
        matches = list(self._find(folded))
        vetoed: dict[str, set[int]] = {}
        for match in matches:
            if match.is_exclusion:
                vetoed.setdefault(match.brand, set()).update(match.places)
        named = (match for match in matches if not match.is_exclusion)
        return tuple(sorted({match.brand for match in named if _stands(match, vetoed)}))

    def _find(self, folded: str) -> Iterator[_Match]:
        for last, (length, patterns) in self._automaton.iter(folded):
            start, end = last - length + 1, last + 1
            if _is_word(folded, start, end):
                for brand, is_exclusion in patterns:
                    yield _Match(brand, is_exclusion, start, end)


def fold(text: str) -> str:
    """`text` as it is compared: case-folded NFKC with single spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def _build_automaton(brands: tuple[Brand, ...]) -> Any:
    """The automaton over every pattern, each with the brands it speaks for; None without any."""
    patterns: dict[str, list[_Pattern]] = {}
    for brand in brands:
        for name in _names_of(brand):
            patterns.setdefault(name, []).append(_Pattern(brand.name, False))
        for name in filter(None, map(fold, brand.exclusions)):
            patterns.setdefault(name, []).append(_Pattern(brand.name, True))
    if not patterns:
        return None
    automaton = ahocorasick.Automaton()
    for name, speakers in patterns.items():
        automaton.add_word(name, (len(name), tuple(speakers)))
    automaton.make_automaton()
    return automaton


def _names_of(brand: Brand) -> set[str]:
    """Every folded form; a name of several words is also looked for as one hashtag."""
    plain = {fold(name) for name in (brand.name, *brand.aliases)}
    signed = {f"@{fold(h).lstrip('@')}" for h in brand.handles}
    signed |= {f"#{fold(h).lstrip('#')}" for h in brand.hashtags}
    joined = {f"#{_NO_WORD_SIGN.sub('', name)}" for name in plain}
    return {name for name in plain | signed | joined if name.strip("@#")}


def _stands(match: _Match, vetoed: dict[str, set[int]]) -> bool:
    return vetoed.get(match.brand, set()).isdisjoint(match.places)


def _is_word(text: str, start: int, end: int) -> bool:
    """Whether text[start:end] begins and ends where words do."""
    before, after = text[start - 1 : start], text[end : end + 1]
    if text[start] in "@#" and before and _is_word_sign(before):
        return False
    korean = after and _HANGUL.match(text[end - 1]) and _HANGUL.match(after)
    return _is_edge(before, text[start]) and (bool(korean) or _is_edge(text[end - 1], after))


def _is_edge(left: str, right: str) -> bool:
    """Whether a word may end between the characters `left` and `right` (either may be missing)."""
    if not left or not right or not _is_word_sign(left) or not _is_word_sign(right):
        return True
    if unicodedata.category(right).startswith("M"):
        return False
    if _KATAKANA.match(left) and _KATAKANA.match(right):
        return False
    return any(_UNSPACED.match(c) or _KATAKANA.match(c) for c in (left, right))


def _is_word_sign(character: str) -> bool:
    """Letters, digits, combining marks and underscores; `str.isalnum` forgets the marks."""
    return character == "_" or unicodedata.category(character)[0] in "LMN"
