"""What happens on the demo's day: who is talked about, how much, how, with what pictures."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, NamedTuple

DAY: Final = datetime(2026, 6, 18, tzinfo=UTC)
MINUTES: Final = 1440
SEED: Final = 18


class Brand(NamedTuple):
    """An invented brand, what names it, and what only seems to."""

    name: str
    handle: str
    what: str
    aliases: tuple[str, ...] = ()
    handles: tuple[str, ...] = ()
    hashtags: tuple[str, ...] = ()
    exclusions: tuple[str, ...] = ()


class Course(NamedTuple):
    """Posts of one brand in one mood over the day.

    `rate` holds (minute of the day, posts a minute), linear in between; without it `posts` are
    spread as people are awake. `pictures` are families by weight, `pictured` the share of posts
    that carry one.
    """

    brand: str
    mood: str
    posts: float = 0
    rate: tuple[tuple[int, float], ...] = ()
    pictured: float = 0.0
    pictures: tuple[tuple[str, float], ...] = ()


BRANDS: Final[dict[str, Brand]] = {
    "oatmere": Brand(
        name="Oatmere",
        handle="oatmere",
        what="an oat drink",
        aliases=("Oat Mere",),
        handles=("oatmere", "oatmere_help"),
        hashtags=("Oatmere", "OatmereGate", "BoycottOatmere", "OatmereFail"),
    ),
    "orvika": Brand(
        name="Orvika",
        handle="orvika",
        what="a phone maker",
        aliases=("Orvika Aura",),
        handles=("orvika",),
        hashtags=("Orvika", "OrvikaAura", "OrvikaFail"),
    ),
    "brindlow": Brand(
        name="Brindlow",
        handle="brindlow",
        what="a bank",
        aliases=("Brindlow Bank",),
        handles=("brindlow", "brindlow_help"),
        hashtags=("Brindlow", "BrindlowFail"),
    ),
    "godwit": Brand(
        name="Godwit",
        handle="flygodwit",
        what="an airline named after a bird",
        aliases=("Godwit Air",),
        handles=("flygodwit",),
        hashtags=("FlyGodwit", "GodwitFail"),
        exclusions=(
            *("black-tailed godwit", "bar-tailed godwit", "Hudsonian godwit"),
            *("godwit chicks", "godwit nesting"),
        ),
    ),
}
_FOOD: Final = (("carton", 5), ("latte", 4), ("breakfast", 4), ("photo", 1), ("joke", 1))
_PHONE: Final = (("phones", 5), ("hills", 1), ("sea", 1), ("photo", 1))
_BANK: Final = (("card", 4), ("savings", 3), ("joke", 1))
_TRAVEL: Final = (("window", 5), ("ticket", 3), ("sea", 2), ("hills", 2))
_FOUL: Final = (("mouldy-carton", 6), ("foul-coffee", 4), ("foul-breakfast", 3), ("grim-joke", 4))
_OUTCRY: Final = (*_FOUL, ("heap", 2), ("recall", 3), ("crash", 2), ("warning", 2))

COURSES: Final[tuple[Course, ...]] = (
    Course("oatmere", "positive", 510, pictured=0.2, pictures=_FOOD),
    Course("oatmere", "neutral", 340, pictured=0.2, pictures=_FOOD),
    Course("oatmere", "negative", 130, pictured=0.06, pictures=_FOOD),
    Course(
        "oatmere",
        "pictures",
        rate=((850, 0.9), (865, 1.3), (885, 1.9), (900, 1.6), (930, 1.0), (990, 0.4), (1080, 0)),
        pictured=1.0,
        pictures=_FOUL,
    ),
    Course(
        "oatmere",
        "angry",
        rate=(
            *((882, 0), (890, 0.8), (900, 2.2), (915, 3.6), (930, 4.8), (945, 4.4), (960, 3.6)),
            *((990, 2.9), (1020, 1.7), (1080, 0.9), (1140, 0.45), (1200, 0.1), (1240, 0)),
        ),
        pictured=0.3,
        pictures=_OUTCRY,
    ),
    Course("oatmere", "worried", rate=((880, 0), (930, 0.7), (990, 0.4), (1080, 0.1), (1140, 0))),
    Course(
        "oatmere",
        "after",
        rate=((990, 0.3), (1005, 1.1), (1050, 0.8), (1140, 0.5), (1260, 0.2), (1380, 0)),
        pictured=0.05,
        pictures=(("recall", 1),),
    ),
    Course("orvika", "positive", 300, pictured=0.25, pictures=_PHONE),
    Course("orvika", "neutral", 270, pictured=0.15, pictures=_PHONE),
    Course("orvika", "negative", 110),
    Course(
        "orvika",
        "launch",
        rate=(
            *((1018, 0), (1022, 2.0), (1030, 4.2), (1050, 3.8), (1080, 2.4), (1140, 1.1)),
            *((1260, 0.4), (1439, 0.1)),
        ),
        pictured=0.45,
        pictures=(("launch", 4), ("phones", 6)),
    ),
    Course(
        "orvika",
        "launch_neutral",
        rate=((1018, 0), (1030, 0.8), (1080, 0.3), (1260, 0.05)),
        pictured=0.3,
        pictures=(("launch", 1), ("phones", 1)),
    ),
    Course("brindlow", "positive", 240, pictured=0.18, pictures=_BANK),
    Course("brindlow", "neutral", 280, pictured=0.1, pictures=_BANK),
    Course("brindlow", "negative", 90),
    Course(
        "brindlow",
        "outage",
        rate=((579, 0), (582, 1.6), (588, 4.2), (596, 3.8), (606, 2.4), (620, 0.8), (645, 0)),
        pictured=0.2,
        pictures=(("error", 1),),
    ),
    Course("brindlow", "restored", rate=((618, 0), (624, 1.0), (640, 0.5), (690, 0))),
    Course("godwit", "positive", 300, pictured=0.35, pictures=_TRAVEL),
    Course("godwit", "neutral", 260, pictured=0.18, pictures=_TRAVEL),
    Course("godwit", "negative", 70),
    Course("godwit", "bird", 55, pictured=0.4, pictures=(("sea", 1), ("hills", 1))),
)
HUSHED: Final = (845, 1150)  # minutes in which fewer post happily about Oatmere, none with pictures
HUSHED_SHARE: Final = 0.7
