"""Who posts: accounts with a channel, a country and a following, some far busier than others."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import yaml

CHANNELS: Final[dict[str, float]] = {
    "x": 0.43,
    "instagram": 0.15,
    "reddit": 0.13,
    "facebook": 0.10,
    "youtube": 0.08,
    "tiktok": 0.07,
    "generic": 0.04,
}
LANGUAGES: Final[dict[str, float]] = {"en": 0.84, "es": 0.06, "de": 0.06, "fr": 0.04}
# Countries of a language: share and hours ahead of UTC in June.
COUNTRIES: Final[dict[str, dict[str, tuple[float, int]]]] = {
    "en": {"US": (0.42, -5), "GB": (0.34, 1), "IE": (0.08, 1), "CA": (0.1, -5), "AU": (0.06, 10)},
    "es": {"ES": (0.55, 2), "MX": (0.25, -6), "CO": (0.2, -5)},
    "de": {"DE": (0.74, 2), "AT": (0.14, 2), "CH": (0.12, 2)},
    "fr": {"FR": (0.75, 2), "BE": (0.15, 2), "CA": (0.1, -4)},
}
# How awake people are in each hour of their own day.
AWAKE: Final = (3, 2, 1, 1, 1, 2, 5, 9, 11, 10, 9, 9, 11, 11, 9, 8, 9, 10, 11, 12, 12, 11, 9, 6)
_NAMES: Final = Path(__file__).parent / "phrases" / "names.yaml"


class Author(NamedTuple):
    """An account on one channel."""

    key: str
    username: str
    channel: str
    lang: str
    country: str
    followers: int


class Crowd:
    """Accounts by channel and language, made when first needed; low numbers post most."""

    def __init__(self, rng: random.Random, size: int) -> None:
        self.rng = rng
        self.size = size
        self._known: dict[tuple[str, str, str], Author] = {}

    def someone(self, channel: str, lang: str, country: str) -> Author:
        """An account there: a few busy ones often, most of them once."""
        share = CHANNELS[channel] * LANGUAGES[lang] * COUNTRIES[lang][country][0]
        pool = max(6, round(self.size * share))
        key = f"{channel}-{lang}-{country}-{int(pool * self.rng.random() ** 1.6)}"
        return self._known.setdefault((channel, lang, key), self._make(key, channel, lang, country))

    def _make(self, key: str, channel: str, lang: str, country: str) -> Author:
        rng = random.Random(f"author {key}")
        joint = rng.choice(("", "_", ""))
        number = rng.choice(("", str(rng.randint(1, 99)), str(rng.randint(1970, 2008))))
        names = _names()
        username = f"{rng.choice(names['first'])}{joint}{rng.choice(names['last'])}{number}"
        followers = min(2_500_000, int(rng.lognormvariate(5.4, 1.9)))
        return Author(key, username, channel, lang, country, followers)


@cache
def _names() -> dict[str, list[str]]:
    return dict(yaml.safe_load(_NAMES.read_text(encoding="utf-8")))


def pick(rng: random.Random, weights: dict[str, float]) -> str:
    """A key, as often as its weight says."""
    return rng.choices(list(weights), list(weights.values()))[0]


def pick_country(rng: random.Random, lang: str) -> str:
    """A country where `lang` is spoken."""
    return pick(rng, {code: share for code, (share, _) in COUNTRIES[lang].items()})


def pick_waking_minute(rng: random.Random, lang: str, country: str) -> float:
    """A minute of the UTC day at which people there are likely to be awake."""
    hour = rng.choices(range(24), AWAKE)[0] - COUNTRIES[lang][country][1]
    return (hour % 24 + rng.random()) * 60
