"""Which language a post is written in (docs/decisions/0010-language-detection.md)."""

from __future__ import annotations

from typing import Final

import pycld2  # type: ignore[import-untyped]  # publishes no types
import regex

UNDETERMINED: Final = "und"
SURE_PERCENT: Final = 80
SURE_LETTERS: Final = 12
SURE_LETTERS_ELSEWHERE: Final = 40
# Languages that most posts are written in; short posts are taken for none of the other hundred,
# which share their words with these (Malagasy "en", Malay "stop", Irish "la").
COMMON: Final = frozenset(
    regex.findall(
        r"[a-z]+",
        "en es pt fr de it nl pl sv da no fi tr cs ro hu el ru uk bg hr sr sk he ar fa ur hi bn mr "
        "ta te ml kn gu pa th vi id tl ja ko zh",
    )
)
_NO_WORDS: Final = regex.compile(r"https?://\S+|[@#＃$]\w+|\[(?:email|phone|iban|card|ip)\]|\d+")
_LETTER: Final = regex.compile(r"[\p{L}\p{M}]")
_DENSE: Final = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}]")
_SYNONYMS: Final = {"iw": "he", "in": "id", "ji": "yi", "nb": "no", "nn": "no", "fil": "tl"}
_NO_LANGUAGE: Final = frozenset({"und", "qam", "qct", "qht", "qme", "qst", "zxx", "art", "un"})


def detect_language(text: str, hint: str | None = None) -> str:
    """The ISO 639 code of the language of `text`, "und" where nobody knows.

    The detector's word counts when it is sure and has enough letters to be; otherwise the
    channel's `hint`, otherwise its best guess if it calls that reliable.

    >>> detect_language("die Lieferung kam schon wieder zu spät", hint="en")
    'de'
    >>> detect_language("lol", hint="fr"), detect_language("😀")
    ('fr', 'und')
    """
    words = _NO_WORDS.sub(" ", text)
    letters = len(_LETTER.findall(words)) + 3 * len(_DENSE.findall(words))
    code, percent, reliable = _detect(words)
    needed = SURE_LETTERS if code in COMMON else SURE_LETTERS_ELSEWHERE
    if reliable and percent >= SURE_PERCENT and letters >= needed:
        return code
    guess = code if reliable and letters >= 4 and code in COMMON else UNDETERMINED
    return language_code(hint) or guess


def language_code(hint: str | None) -> str | None:
    """A channel's language tag as its ISO 639 code; None where it names no language.

    >>> language_code("pt-BR"), language_code("iw"), language_code("qme"), language_code("?")
    ('pt', 'he', None, None)
    """
    code = (hint or "").replace("_", "-").split("-")[0].strip().lower()
    known = 2 <= len(code) <= 3 and code.isascii() and code.isalpha() and code not in _NO_LANGUAGE
    return _SYNONYMS.get(code, code) if known else None


def _detect(text: str) -> tuple[str, int, bool]:
    try:
        reliable, _, (best, *_) = pycld2.detect(text, bestEffort=True)
    except pycld2.error:  # a character that it does not take for text
        return UNDETERMINED, 0, False
    code = language_code(best[1])
    return (code, best[2], reliable) if code else (UNDETERMINED, 0, False)
