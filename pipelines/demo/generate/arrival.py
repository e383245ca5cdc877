"""In which order the day's records arrive: nearly in time, some late, some twice, some broken."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from pipelines.demo.generate.drafts import Desk, Draft
from pipelines.demo.generate.payloads import shape, x_post
from pipelines.demo.generate.people import Author
from pipelines.demo.generate.spoilage import BAD_PICTURES, KINDS, envelope

REDELIVERIES: Final = 45
LATE_POSTS: Final = 25
TOO_LATE_POSTS: Final = 4
LATE_MINUTES: Final = (8.0, 50.0)
TOO_LATE_MINUTES: Final = (70.0, 100.0)
_LAST_LATE: Final = 1240  # minute after which posts are on time, so that others still follow them


@dataclass(frozen=True)
class Line:
    """One line of the file: when it arrives, what it holds, and what is special about it."""

    arrival: float
    value: bytes
    kind: str = "post"
    draft: Draft | None = None


def arrange(drafts: list[Draft], desk: Desk, scale: float) -> list[Line]:
    """All lines in order of arrival."""
    lines = [_deliver(draft, desk.rng) for draft in drafts]
    lines = _delay(lines, desk.rng, scale)
    lines += [*_redeliver(lines, desk.rng, scale), *_broken(desk), *_badly_pictured(desk)]
    return sorted(lines, key=lambda line: (line.arrival, line.value))


def _deliver(draft: Draft, rng: random.Random) -> Line:
    """A line that arrives seconds after its post, a few of them minutes after."""
    seconds = min(45.0, rng.expovariate(1 / 5))
    if rng.random() < 0.05:
        seconds = rng.uniform(60, 240)
    value = envelope(draft.author.channel, shape(draft))
    return Line(draft.minute + seconds / 60, value, draft=draft)


def _delay(lines: list[Line], rng: random.Random, scale: float) -> list[Line]:
    """The same lines, some of them late and a few too late for any window."""
    able = [n for n, line in enumerate(lines) if _may_be_late(line)]
    late = max(4, round(LATE_POSTS * scale))
    chosen = rng.sample(able, late + TOO_LATE_POSTS)
    for place, number in enumerate(chosen):
        kind, span = ("late", LATE_MINUTES) if place < late else ("too_late", TOO_LATE_MINUTES)
        arrival = lines[number].arrival + rng.uniform(*span)
        lines[number] = replace(lines[number], arrival=arrival, kind=kind)
    return lines


def _may_be_late(line: Line) -> bool:
    draft = line.draft
    return draft is not None and draft.mood != "spam" and 400 < draft.minute < _LAST_LATE


def _redeliver(lines: list[Line], rng: random.Random, scale: float) -> list[Line]:
    """Exact copies that come again within twenty minutes."""
    able = [line for line in lines if line.kind == "post" and line.arrival < _LAST_LATE]
    chosen = rng.sample(able, max(5, round(REDELIVERIES * scale)))
    return [
        replace(line, arrival=line.arrival + rng.uniform(0.5, 20), kind="redelivery")
        for line in chosen
    ]


def _broken(desk: Desk) -> Iterator[Line]:
    """Records of every kind that nobody can read, all over the day."""
    for kind, (number, spoil) in KINDS.items():
        for _ in range(number):
            draft = _bystander(desk)
            yield Line(draft.minute + 0.1, spoil(x_post(draft)), kind=kind)


def _badly_pictured(desk: Desk) -> Iterator[Line]:
    """Posts that are well but for their picture."""
    for cause, (path, number) in BAD_PICTURES.items():
        for _ in range(number):
            draft = replace(_bystander(desk), picture=path)
            line = envelope("x", x_post(draft))
            yield Line(draft.minute + 0.1, line, kind=f"attach/{cause}", draft=draft)


def _bystander(desk: Desk) -> Draft:
    """A harmless post of X about any brand, between seven in the morning and ten at night."""
    brand = desk.rng.choice(("oatmere", "orvika", "brindlow", "godwit"))
    number = desk.number()
    author = Author(f"bystander-{number}", f"bystander{number}", "x", "en", "GB", 120)
    text = desk.writer.write(brand, "neutral", "en")
    return Draft(number, desk.rng.uniform(420, 1320), author, text, brand)
