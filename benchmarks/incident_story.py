"""Timelines of brands: days of usual posts over five kinds of baseline, incidents among them."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from functools import cache
from heapq import merge
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.incident_kinds import HOUR, MINUTE, PLANTED, Incident
from benchmarks.incident_posts import (
    FROM_REGULARS,
    REGULARS,
    REPOSTED,
    TEXTS,
    WITH_IMAGE,
    Draft,
    Mood,
    draw_reading,
)
from schemas.records import Reading

DAY = 24 * HOUR
BEGIN = 1_767_571_200  # 2026-01-05T00:00:00Z, a Monday
LEAD_IN = 4 * DAY  # before anything is judged: a profile of the day takes three
CALM = (8 * HOUR, 11 * HOUR)  # between two incidents
HORIZON = 64 * DAY  # longer than any timeline
BASELINES = ("quiet", "noisy", "seasonal", "bursty", "sparse")
ACCOUNTS = (5, 10)  # of a campaign
Floats = NDArray[np.float64]


class Usual(NamedTuple):
    """What is usual for a brand, minute by minute from `BEGIN`."""

    per_minute: Floats
    negative: Floats

    def rate(self, moment: float) -> float:
        """Posts a minute, averaged over the hour around a moment."""
        minute = int(moment - BEGIN) // MINUTE
        return float(self.per_minute[max(0, minute - 30) : minute + 30].mean())

    def mood(self, moment: float) -> Mood:
        """What people usually feel."""
        return Mood(negative=float(self.negative[int(moment - BEGIN) // MINUTE]))


class Timeline(NamedTuple):
    """A brand over some days; nothing is planted in quiet ones."""

    baseline: str
    seed: int
    seconds: float
    incidents: tuple[Incident, ...] = ()

    @property
    def brand(self) -> str:
        """Its name, which is also what its chance begins from."""
        return f"{self.baseline}-{self.seed}"


@cache
def usual_of(baseline: str, seed: int) -> Usual:
    """Rates and moods of a kind of baseline."""
    chance = np.random.default_rng([seed, *baseline.encode()])
    minutes = HORIZON // MINUTE
    hours = np.arange(minutes) / 60
    negative = np.full(minutes, 0.18)
    if baseline == "quiet":
        return Usual(np.full(minutes, 2.0), negative)
    if baseline == "noisy":
        wander = _wander(chance, minutes, 0.35)
        return Usual(2.5 * np.exp(wander), negative + 0.12 * _wander(chance, minutes, 0.35))
    if baseline == "seasonal":
        of_day = 0.8 * np.sin(2 * math.pi * (hours - 9) / 24)
        weekend = np.where(hours % (7 * 24) >= 5 * 24, 0.7, 1.0)
        return Usual(1.8 * weekend * np.exp(of_day), negative - 0.04 * np.sin(of_day))
    if baseline == "bursty":
        return Usual(1.2 + _clumps(chance, minutes), negative)
    return Usual(np.full(minutes, 4 / 60), negative)


def _wander(chance: np.random.Generator, minutes: int, deviation: float) -> Floats:
    """A mean-reverting walk with a memory of two hours, of that deviation, within two of it."""
    keep = math.exp(-1 / 120)
    steps = chance.normal(0, deviation * math.sqrt(1 - keep * keep), minutes)
    walk, now = np.zeros(minutes), 0.0
    for minute in range(minutes):
        now = keep * now + steps[minute]
        walk[minute] = now
    return np.clip(walk, -2 * deviation, 2 * deviation)


def _clumps(chance: np.random.Generator, minutes: int) -> Floats:
    """Some twenty times a day a handful of posts within four minutes."""
    rate = np.zeros(minutes + 4)
    for start in np.flatnonzero(chance.random(minutes) < 20 / (24 * 60)):
        rate[start : start + 4] += chance.uniform(4, 14) / 4
    return rate[:minutes]


def plant(baseline: str, seed: int, kinds: list[str]) -> Timeline:
    """A timeline with one incident of each of `kinds`, in a random order, calm in between."""
    rng = random.Random(f"plant-{baseline}-{seed}")
    usual = usual_of(baseline, seed)
    now, incidents = BEGIN + LEAD_IN + rng.uniform(*CALM), []
    for kind in rng.sample(kinds, len(kinds)):
        incident = PLANTED[kind](rng, now, usual.rate(now))
        incidents.append(incident)
        now = incident.judged_until + rng.uniform(*CALM)
    return Timeline(baseline, seed, now - BEGIN, tuple(incidents))


def tell(timeline: Timeline) -> Iterator[Reading]:
    """Every reading of a timeline in the order of event time."""
    rng = random.Random(timeline.brand)
    extra = [planted_readings(timeline.brand, one) for one in timeline.incidents]
    return merge(_usual_readings(timeline, rng), *extra, key=lambda reading: reading.created_at)


def _usual_readings(timeline: Timeline, rng: random.Random) -> Iterator[Reading]:
    usual, brand = usual_of(timeline.baseline, timeline.seed), timeline.brand
    minutes = int(timeline.seconds) // MINUTE
    counts = np.random.default_rng([timeline.seed, 7]).poisson(usual.per_minute[:minutes])
    waiting, number = list(timeline.incidents), 0
    for minute in map(int, np.flatnonzero(counts)):
        moments = (BEGIN + (minute + rng.random()) * MINUTE for _ in range(counts[minute]))
        for at in sorted(moments):
            while waiting and waiting[0].end < at:
                waiting.pop(0)
            inside = waiting[0] if waiting and waiting[0].start <= at else None
            if inside is not None and inside.silent:
                continue
            mood = usual.mood(at)
            if inside is not None and inside.replaces:
                mood = inside.mood_at(at, mood)
            number += 1
            yield draw_reading(rng, mood, _usual_draft(rng, brand, at, number))


def _usual_draft(rng: random.Random, brand: str, at: float, number: int) -> Draft:
    name = f"{brand}-{number}"
    is_regular, is_repost = rng.random() < FROM_REGULARS, rng.random() < REPOSTED
    return Draft(
        brand,
        at,
        name,
        author=f"{brand}-regular-{rng.randrange(REGULARS)}" if is_regular else f"author-{name}",
        text=rng.choice(TEXTS),
        cluster=f"{brand}-text-{int(at) // (30 * MINUTE)}" if is_repost else "",
        reach=int(rng.paretovariate(1.2) * 40),
        image=rng.random() < WITH_IMAGE,
    )


def planted_readings(brand: str, incident: Incident) -> Iterator[Reading]:
    """What an incident brings on top of the usual posts, in the order of event time."""
    own = random.Random(f"{brand}-{incident.kind}-{incident.start}")
    accounts, end = own.randint(*ACCOUNTS), incident.end
    at, number = incident.start, 0
    while incident.per_minute and (at := at + own.expovariate(incident.per_minute / MINUTE)) < end:
        number += 1
        name = f"{brand}-{incident.kind}-{int(incident.start)}-{number}"
        draft = Draft(brand, at, name, f"author-{name}", incident.text, reach=200)
        yield draw_reading(own, incident.mood, _shaped(own, incident, draft, accounts))


def _shaped(rng: random.Random, incident: Incident, draft: Draft, accounts: int) -> Draft:
    if incident.shape == "viral":
        return draft._replace(cluster=f"viral-{int(incident.start)}", reach=2000)
    if incident.shape == "campaign":
        author = f"account-{int(incident.start)}-{rng.randrange(accounts)}"
        return draft._replace(author=author, cluster=f"campaign-{int(incident.start)}")
    if incident.shape == "image":
        return draft._replace(image=True, image_leads=True)
    if rng.random() < REPOSTED:
        return draft._replace(cluster=f"{incident.kind}-{int(draft.at) // (10 * MINUTE)}")
    return draft._replace(image=rng.random() < WITH_IMAGE)
