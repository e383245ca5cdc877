"""What is planted: one generator for each kind of alert that an incident should raise."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple, get_args

from benchmarks.incident_posts import Mood
from schemas.records import AlertKind

MINUTE, HOUR = 60, 3600
SEEN_AFTER = 15 * MINUTE  # an alert that opens so soon after the end still belongs to its incident
LEAST_PER_MINUTE = 2.4  # twelve posts a window of five minutes: fewer are no crowd by the settings


class Incident(NamedTuple):
    """Something that happens to a brand from `start` on for some seconds.

    `per_minute` posts come on top of the usual ones; `mood` is theirs and, where it `replaces`,
    that of everybody, reached after `falls_for` seconds; `silent` lets nobody speak. `shape` says
    who says what: `own` words, one `viral` text, a `campaign` by few, `image`s that say it.
    `judged_from` and `judged_until` bound when an alert belongs to it.
    """

    kind: str
    start: float
    seconds: float
    per_minute: float = 0.0
    mood: Mood = Mood()
    replaces: bool = False
    falls_for: float = 0.0
    silent: bool = False
    shape: str = "own"
    text: str = ""

    @property
    def end(self) -> float:
        """When it is over."""
        return self.start + self.seconds

    @property
    def judged_from(self) -> float:
        """From when on an alert belongs to it; delays count from here."""
        return self.end if self.kind == "recovery" else self.start

    @property
    def judged_until(self) -> float:
        """Until when an alert belongs to it."""
        return self.end + (3 * HOUR if self.kind == "recovery" else SEEN_AFTER)

    def mood_at(self, moment: float, usual: Mood) -> Mood:
        """What people feel at a moment within it."""
        if not self.falls_for:
            return self.mood
        done = min(1.0, (moment - self.start) / self.falls_for)
        negative = usual.negative + done * (self.mood.negative - usual.negative)
        positive = usual.positive + done * (self.mood.positive - usual.positive)
        return Mood(negative, positive)


def _volume_spike(rng: random.Random, start: float, usual: float) -> Incident:
    extra = max(3.0, rng.uniform(4, 8) * usual)
    seconds = rng.uniform(30, 90) * MINUTE
    return Incident("volume_spike", start, seconds, extra, text="they just announced it live")


def _negativity_surge(rng: random.Random, start: float, usual: float) -> Incident:
    mood = Mood(negative=rng.uniform(0.6, 0.85), positive=0.05)
    extra = max(0.3 * usual, LEAST_PER_MINUTE - usual)
    seconds = rng.uniform(45, 120) * MINUTE
    text = "charged me twice and nobody answers"
    return Incident("negativity_surge", start, seconds, extra, mood, replaces=True, text=text)


def _image_led_crisis(rng: random.Random, start: float, usual: float) -> Incident:
    mood = Mood(negative=rng.uniform(0.8, 0.95), positive=0.02)
    extra = max(0.6 * usual, LEAST_PER_MINUTE)
    seconds = rng.uniform(30, 90) * MINUTE
    text = "look what I found"
    return Incident("image_led_crisis", start, seconds, extra, mood, shape="image", text=text)


def _crisis(rng: random.Random, start: float, usual: float) -> Incident:
    mood = Mood(negative=rng.uniform(0.65, 0.9), positive=0.03)
    extra = max(4.0, rng.uniform(4, 8) * usual)
    seconds = rng.uniform(60, 180) * MINUTE
    text = "battery burned my desk, recall it now"
    return Incident("crisis", start, seconds, extra, mood, replaces=True, text=text)


def _emotion_shift(rng: random.Random, start: float, usual: float) -> Incident:
    emotion = rng.choice(("fear", "sadness", "surprise"))
    mood = Mood(0.2, 0.1, emotion, rng.uniform(0.6, 0.8))
    extra = max(0.3 * usual, LEAST_PER_MINUTE - usual)
    seconds = rng.uniform(60, 150) * MINUTE
    text = "what does this mean for us"
    return Incident("emotion_shift", start, seconds, extra, mood, replaces=True, text=text)


def _sustained_decline(rng: random.Random, start: float, usual: float) -> Incident:
    mood = Mood(negative=rng.uniform(0.38, 0.5), positive=0.2)
    seconds, falls_for = rng.uniform(20, 28) * HOUR, rng.uniform(5, 9) * HOUR
    return Incident("sustained_decline", start, seconds, 0.0, mood, True, falls_for)


def _viral_post(rng: random.Random, start: float, usual: float) -> Incident:
    extra = max(3.0, rng.uniform(2, 4) * usual)
    seconds = rng.uniform(40, 90) * MINUTE
    text = "this cat on the box is all of us today"
    return Incident("viral_post", start, seconds, extra, shape="viral", text=text)


def _coordinated_campaign(rng: random.Random, start: float, usual: float) -> Incident:
    extra = max(3.0, rng.uniform(1.5, 3) * usual)
    seconds, mood = rng.uniform(30, 60) * MINUTE, Mood(negative=0.5, positive=0.1)
    text = "everybody should leave them for the other one today"
    return Incident(
        "coordinated_campaign", start, seconds, extra, mood, shape="campaign", text=text
    )


def _recovery(rng: random.Random, start: float, usual: float) -> Incident:
    return _negativity_surge(rng, start, usual)._replace(
        kind="recovery", seconds=rng.uniform(120, 180) * MINUTE
    )


def _feed_silent(rng: random.Random, start: float, usual: float) -> Incident:
    seconds = max(rng.uniform(2, 4) * HOUR, 30 * MINUTE / max(usual, 0.02))
    return Incident("feed_silent", start, seconds, silent=True)


Planting = Callable[[random.Random, float, float], Incident]

# By kind: (chance, start, usual posts a minute) -> incident.
PLANTED: dict[str, Planting] = {
    "volume_spike": _volume_spike,
    "negativity_surge": _negativity_surge,
    "image_led_crisis": _image_led_crisis,
    "crisis": _crisis,
    "emotion_shift": _emotion_shift,
    "sustained_decline": _sustained_decline,
    "viral_post": _viral_post,
    "coordinated_campaign": _coordinated_campaign,
    "recovery": _recovery,
    "feed_silent": _feed_silent,
}
# Alerts that name an incident rightly too: what it may grow into or come with.
ALSO_RIGHT: dict[str, frozenset[str]] = {
    "negativity_surge": frozenset({"crisis"}),
    "image_led_crisis": frozenset({"crisis"}),
}
# Said of what comes after; an alert about what came before does not find them.
ONLY_BY_NAME = frozenset({"recovery"})
ON_TOP = ("volume_spike", "image_led_crisis", "crisis", "viral_post", "coordinated_campaign")


def known_kinds() -> tuple[str, ...]:
    """The kinds that this Moodwire has an alert for."""
    return tuple(kind for kind in PLANTED if kind in get_args(AlertKind))


def names_rightly(alert: str, incident: str) -> bool:
    """Whether an alert of one kind is what an incident of another should raise."""
    return alert == incident or alert in ALSO_RIGHT.get(incident, ())
