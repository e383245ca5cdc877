"""Posts beside the crowd's: newsrooms, the firms themselves and a campaign of spam."""

from __future__ import annotations

import random
from typing import Final, NamedTuple

from pipelines.demo.generate.drafts import Desk, Draft
from pipelines.demo.generate.people import Author
from pipelines.demo.generate.story import BRANDS

# (rule, brand, items, first and last minute, picture family)
_NEWS: Final = (
    ("news_oatmere", "oatmere", 7, (330, 840), "carton"),
    ("news_oatmere_crisis", "oatmere", 14, (905, 1010), "mouldy-carton"),
    ("news_oatmere_after", "oatmere", 7, (1000, 1260), "recall"),
    ("news_orvika", "orvika", 8, (360, 1000), "phones"),
    ("news_orvika_launch", "orvika", 10, (1026, 1150), "launch"),
    ("news_brindlow", "brindlow", 7, (380, 1200), "card"),
    ("news_brindlow_outage", "brindlow", 3, (600, 630), "error"),
    ("news_godwit", "godwit", 8, (340, 1200), "window"),
)


class _Word(NamedTuple):
    """What a firm says itself, and when."""

    rule: str
    brand: str
    mood: str
    minute: float
    family: str | None


_OFFICIAL: Final = (
    _Word("official_oatmere_positive", "oatmere", "positive", 425, "breakfast"),
    _Word("official_oatmere_positive", "oatmere", "positive", 615, "latte"),
    _Word("official_godwit_neutral", "godwit", "neutral", 362, "window"),
    _Word("official_brindlow_outage", "brindlow", "outage", 597, None),
    _Word("official_brindlow_restored", "brindlow", "restored", 621, None),
    _Word("official_oatmere_after", "oatmere", "after", 990, "apology"),
    _Word("official_oatmere_after", "oatmere", "after", 1034, "apology"),
    _Word("official_oatmere_after", "oatmere", "after", 1095, None),
    _Word("official_orvika_launch", "orvika", "launch", 1020, "launch"),
    _Word("official_orvika_launch", "orvika", "launch", 1122, "phones"),
)
_SPAM_POSTS: Final = 90
_SPAMMERS: Final = 9


def write_extras(desk: Desk, scale: float) -> list[Draft]:
    """All of them, the firms' own words on three channels each."""
    return [*_write_news(desk, scale), *_write_official(desk), *_write_spam(desk, scale)]


def _write_news(desk: Desk, scale: float) -> list[Draft]:
    items: list[Draft] = []
    for rule, brand, number, (first, last), family in _NEWS:
        for _ in range(max(1, round(number * scale))):
            outlet = desk.writer.plain("news", "outlet")
            author = Author(f"news-{outlet}", outlet, "news", "en", "GB", 40_000)
            items.append(
                Draft(
                    number=desk.number(),
                    minute=desk.rng.uniform(first, last),
                    author=author,
                    title=desk.writer.plain("news", rule),
                    text=desk.writer.plain("news", "news_summary"),
                    brand=brand,
                    mood="news",
                    picture=_any(desk, family) if desk.rng.random() < 0.5 else None,
                )
            )
    return items


def _write_official(desk: Desk) -> list[Draft]:
    return [
        _official(desk, word, channel, delay)
        for word in _OFFICIAL
        for delay, channel in ((0.1, "x"), (1.4, "facebook"), (2.2, "instagram"))
    ]


def _official(desk: Desk, word: _Word, channel: str, delay: float) -> Draft:
    name = BRANDS[word.brand].handle
    return Draft(
        number=desk.number(),
        minute=word.minute + delay,
        author=Author(f"official-{name}-{channel}", name, channel, "en", "GB", 380_000),
        text=desk.writer.plain("news", word.rule),
        brand=word.brand,
        mood=word.mood,
        picture=_any(desk, word.family) if word.family else None,
        marks=frozenset({"official"}),
    )


def _write_spam(desk: Desk, scale: float) -> list[Draft]:
    """Near-duplicates from a handful of accounts, in bursts."""
    posts = []
    for number in range(max(_SPAMMERS, round(_SPAM_POSTS * scale))):
        name = f"aura_deals_{number % _SPAMMERS:02d}"
        author = Author(f"spam-{name}", name, "x", "en", "US", 12)
        minute = 620 + (number // 6) * 38 + desk.rng.uniform(0, 6)
        text = desk.writer.plain("news", "spam")
        posts.append(
            Draft(
                desk.number(),
                min(minute, 1430),
                author,
                text,
                "orvika",
                "spam",
                marks=frozenset({"spam"}),
            )
        )
    return posts


def _any(desk: Desk, family: str) -> str:
    return random.Random(desk.written).choice(desk.pictures[family])
