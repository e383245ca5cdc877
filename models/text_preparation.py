"""The one way from a cleaned post to the text that the model reads, in training and serving."""

import html
import re
from typing import Final

import emoji

MODEL_CHARACTERS: Final = 4_000  # that are prepared of a post: far more than tokens hold
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_INVISIBLE: Final = re.compile(
    "[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff\u00ad\x00]"
)
_ESCAPED_SPACE: Final = re.compile(r"\\[nrt](?![a-z])")
_TAG: Final = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")
_URL: Final = re.compile(r"(?:https?://|www\.|\bt\.co/|\bpic\.twitter\.com/)\S+", re.IGNORECASE)
_MENTION: Final = re.compile(r"@\w+")
_MENTION_RUN: Final = re.compile(r"@user(?:\s+@user){2,}")
_HASHTAG: Final = re.compile(r"[#\uff03]+(\w+)")
_ELONGATION: Final = re.compile(r"([^\W\d_]|[^\w\s])\1{3,}")
_WORD_BREAK: Final = re.compile(
    r"_+|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])"
)
_QUOTES: Final = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'})
_MAX_PASSES: Final = 32

# emoji fills its search tree at the first call, and a second thread would search one half full.
emoji.replace_emoji("😀")


def prepare_text(text: str) -> str:
    """Turns a cleaned post into model input.

    Mentions become `@user` and addresses `http` (TweetEval's convention), hashtags become words
    where case, digits or underscores show them (a lower-case compound is left to the wordpieces),
    emoji become their names since BERT's vocabulary lacks them, long runs of one sign shrink to
    three, of mentions to two, leftovers of HTML go. Never raises, and preparing twice changes
    nothing: one pass can uncover work for the next, so passes run until the text stays.

    >>> prepare_text("@anna #WinterIsComing soooooo cold 😂 https://t.co/x")
    '@user winter is coming sooo cold face with tears of joy http'
    """
    for _ in range(_MAX_PASSES):
        prepared = _prepare_once(text)
        if prepared == text:
            break
        text = prepared
    return text


def split_hashtag(name: str) -> str:
    """Splits a hashtag's name (without #) at changes of case, digits and underscores."""
    return " ".join(_WORD_BREAK.sub(" ", name).split()).lower()


def _prepare_once(text: str) -> str:
    text = _unescape(_SURROGATE.sub(" ", text)).translate(_QUOTES)
    text = _TAG.sub(" ", _ESCAPED_SPACE.sub(" ", text))
    text = _URL.sub("http", text)
    text = _name_emoji(text)
    text = _MENTION.sub("@user", text)
    text = _HASHTAG.sub(lambda match: f" {split_hashtag(match[1])} ", text)
    text = _ELONGATION.sub(r"\1\1\1", _INVISIBLE.sub("", text))
    return _MENTION_RUN.sub("@user @user", " ".join(text.split()))


def _unescape(text: str) -> str:
    while "&" in text and (unescaped := html.unescape(text)) != text:
        text = _SURROGATE.sub(" ", unescaped)
    return text


def _name_emoji(text: str) -> str:
    if text.isascii():
        return text
    return emoji.replace_emoji(text, replace=_emoji_name)


def _emoji_name(_: str, data: dict[str, str]) -> str:
    words = re.sub(r"[\W_]+", " ", data.get("en", ""))
    return f" {words.strip()} "
