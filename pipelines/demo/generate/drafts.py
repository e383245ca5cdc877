"""The day's posts before they take the shape of a channel."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Final

from pipelines.demo.generate.people import (
    CHANNELS,
    LANGUAGES,
    Author,
    Crowd,
    pick,
    pick_country,
    pick_waking_minute,
)
from pipelines.demo.generate.personal import with_personal_data
from pipelines.demo.generate.story import COURSES, HUSHED, HUSHED_SHARE, MINUTES, Course
from pipelines.demo.generate.words import Writer

PICTURED_CHANNELS: Final = tuple(name for name in CHANNELS if name != "youtube")
REPOST_SHARE: Final = 0.055
PERSONAL_SHARE: Final = 0.009
_QUIET_MOODS: Final = ("positive", "neutral")


@dataclass(frozen=True)
class Draft:
    """One post: what is said, by whom, when (minute of the day), with which picture."""

    number: int
    minute: float
    author: Author
    text: str
    brand: str | None = None
    mood: str = "neutral"
    picture: str | None = None
    origin: Draft | None = None
    title: str = ""
    marks: frozenset[str] = frozenset()

    @property
    def reach(self) -> int:
        """Who may have seen it: followers, and luck with a heavy tail."""
        luck = random.Random(f"reach {self.number} {self.text}").lognormvariate(0, 1.4)
        return max(1, int(self.author.followers * 0.6 * luck) + int(20 * luck))


@dataclass
class Desk:
    """Writes drafts: one source of chance, one writer, one crowd, the pictures by family."""

    rng: random.Random
    writer: Writer
    crowd: Crowd
    pictures: dict[str, list[str]]
    written: int = 0

    def number(self) -> int:
        """The next post's number."""
        self.written += 1
        return self.written

    def write_course(self, course: Course, scale: float) -> list[Draft]:
        """All posts of one course of the story."""
        minutes = _sample_rate(course, self.rng, scale)
        if not course.rate:
            return [self._write_calm(course) for _ in range(round(course.posts * scale))]
        return [self._write(course, minute, *self._where()) for minute in minutes]

    def _where(self) -> tuple[str, str]:
        lang = pick(self.rng, LANGUAGES)
        return lang, pick_country(self.rng, lang)

    def _write_calm(self, course: Course) -> Draft:
        lang, country = self._where()
        minute = pick_waking_minute(self.rng, lang, country)
        while _is_hushed(course, minute) and self.rng.random() > HUSHED_SHARE:
            minute = pick_waking_minute(self.rng, lang, country)
        return self._write(course, minute, lang, country)

    def _write(self, course: Course, minute: float, lang: str, country: str) -> Draft:
        pictured = self.rng.random() < course.pictured and not _is_hushed(course, minute)
        channel = pick(self.rng, CHANNELS)
        while pictured and channel not in PICTURED_CHANNELS:
            channel = pick(self.rng, CHANNELS)
        text = self.writer.write(course.brand, course.mood, lang)
        marks: frozenset[str] = frozenset()
        if course.mood in ("negative", "neutral") and self.rng.random() < PERSONAL_SHARE * 3:
            text, marks = with_personal_data(text, self.rng), frozenset({"personal"})
        return Draft(
            number=self.number(),
            minute=minute,
            author=self.crowd.someone(channel, lang, country),
            text=text,
            brand=course.brand,
            mood=course.mood,
            picture=self._picture(course) if pictured else None,
            marks=marks,
        )

    def _picture(self, course: Course) -> str:
        """A picture of the course's families, those with low numbers most."""
        paths = self.pictures[pick(self.rng, dict(course.pictures))]
        return paths[int(len(paths) * self.rng.random() ** 1.25)]

    def repost(self, origin: Draft) -> Draft:
        """Someone else's repost, minutes to two hours later, sometimes with a small edit."""
        lang, country = origin.author.lang, origin.author.country
        channel = origin.author.channel if self.rng.random() < 0.75 else "x"
        return replace(
            origin,
            number=self.number(),
            minute=min(MINUTES - 1.0, origin.minute + self.rng.expovariate(1 / 22) + 1),
            author=self.crowd.someone(channel, lang, country),
            text=_edited(origin.text, self.rng),
            origin=origin,
            marks=origin.marks | {"repost"},
        )


def write_day(desk: Desk, scale: float) -> list[Draft]:
    """Every course of the story and the reposts of it, at `scale` of its full volume."""
    drafts = [draft for course in COURSES for draft in desk.write_course(course, scale)]
    origins = [d for d in drafts if d.mood != "bird" and d.minute < MINUTES - 60]
    loud = [1.0 + 3.0 * (d.mood in ("pictures", "angry", "launch")) for d in origins]
    chosen = desk.rng.choices(origins, loud, k=round(len(drafts) * REPOST_SHARE))
    return drafts + [desk.repost(origin) for origin in chosen]


def _is_hushed(course: Course, minute: float) -> bool:
    """Whether an oat drinker in a good mood would rather say nothing now."""
    calm = course.brand == "oatmere" and course.mood in _QUIET_MOODS
    return calm and HUSHED[0] <= minute < HUSHED[1]


def _sample_rate(course: Course, rng: random.Random, scale: float) -> list[float]:
    """Minutes drawn from a piecewise linear rate, as many as its area at `scale`."""
    minutes: list[float] = []
    for (start, low), (end, high) in zip(course.rate, course.rate[1:], strict=False):
        expected = (low + high) / 2 * (end - start) * scale
        count = int(expected) + (rng.random() < expected % 1)
        minutes += [start + (end - start) * _slanted(low, high, rng) for _ in range(count)]
    return minutes


def _slanted(low: float, high: float, rng: random.Random) -> float:
    """A number in [0, 1] whose density runs linearly from `low` to `high`."""
    while True:
        at = rng.random()
        if rng.random() * max(low, high) <= low + (high - low) * at:
            return at


def _edited(text: str, rng: random.Random) -> str:
    """`text` as people pass it on: as it is, or a word added, or a mark changed."""
    edits = (
        lambda t: t,
        lambda t: t,
        lambda t: f"{t} 👆",
        lambda t: f"this. {t}",
        lambda t: f"{t} (not mine)",
        lambda t: t.replace("!", "!!"),
        lambda t: t.rstrip(".") + "...",
    )
    return str(rng.choice(edits)(text))
