"""What signals amount to: kinds of alert, which is graver, and what keeps each alive."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence

from models.detection.decline import DECLINE
from models.detection.echoes import CAMPAIGN, VIRAL
from models.detection.emotion_levels import EMOTION
from models.detection.mood_detector import IMAGES, NEGATIVITY, VOLUME
from models.detection.rhythm import SILENCE
from schemas.records import AlertKind, Signal

# A kind takes over from one of a lower rank. Those of rank 1 leave one another alone: whichever
# came first goes on and shows the others' signals, so that one incident is not told five times.
RANKS: dict[AlertKind, int] = {
    "feed_silent": 0,
    "recovery": 0,
    "sustained_decline": 1,
    "emotion_shift": 1,
    "volume_spike": 1,
    "viral_post": 1,
    "coordinated_campaign": 1,
    "negativity_surge": 2,
    "image_led_crisis": 3,
    "crisis": 4,
}
MOODS: frozenset[AlertKind] = frozenset({"negativity_surge", "image_led_crisis", "crisis"})
# Kinds that may be good news, or nobody's fault, are no emergency by themselves.
HIGHEST_SEVERITY: dict[AlertKind, int] = {
    "feed_silent": 5,
    "recovery": 1,
    "sustained_decline": 7,
    "emotion_shift": 6,
    "volume_spike": 6,
    "viral_post": 6,
    "coordinated_campaign": 7,
}
# Signals that stand for a kind of their own unless the mood has turned, what explains most first.
ALONE: tuple[tuple[str, AlertKind], ...] = (
    (CAMPAIGN, "coordinated_campaign"),
    (VIRAL, "viral_post"),
    (VOLUME, "volume_spike"),
    (EMOTION, "emotion_shift"),
    (DECLINE, "sustained_decline"),
    (SILENCE, "feed_silent"),
)
PATIENCE = {EMOTION: 1}  # widths of a window through which a signal must open: other posts say so


def kind_of(open_signals: Iterable[str], holding: Collection[str] = ()) -> AlertKind | None:
    """The kind that signals amount to: a crisis is a crowd that came for something bad.

    Where most people have turned, a crowd that would keep an incident open is one.
    """
    names = set(open_signals)
    bad = {NEGATIVITY, IMAGES} & names
    if (VOLUME in names and bad) or (NEGATIVITY in bad and VOLUME in holding):
        return "crisis"
    if IMAGES in bad:
        return "image_led_crisis"
    if bad:
        return "negativity_surge"
    return next((kind for own, kind in ALONE if any(n.startswith(own) for n in names)), None)


def sustains(kind: AlertKind, name: str) -> bool:
    """Whether a signal of that name keeps such an incident open and makes it graver.

    Volume, negativity and images do for every kind, the others for their own.
    """
    if name in {VOLUME, NEGATIVITY, IMAGES}:
        return True
    return any(kind == alone and name.startswith(own) for own, alone in ALONE)


def patience_of(name: str) -> int:
    """Widths of a window through which a signal of that name must open before it is told."""
    return next((widths for own, widths in PATIENCE.items() if name.startswith(own)), 0)


def size_of(signal: Signal) -> float:
    """How large a departure is in [0, 1].

    Sixteen times the posts, 60 points more of a share, an emotion or valence, ten thousand people
    missing.
    """
    if signal.name == VOLUME:
        return min(1.0, max(0.0, math.log2(signal.value / signal.expected) / 4))
    if signal.name == SILENCE:
        return min(1.0, math.log10(1 + signal.expected) / 4)
    return min(1.0, abs(signal.value - signal.expected) / 0.6)


def severity_of(kind: AlertKind, signals: Sequence[Signal], hot_windows: int, reach: int) -> int:
    """1 to 10: how unlikely, how large, how persistent, how far it reaches; all from facts.

    1 + 2.5·rarity + 2.5·size + 1.5·persistence + 1.5·reach, and 2 more where several signals hold
    together. Kinds that may be good news stay below a bound.
    """
    rarity = min(1.0, max((s.score for s in signals), default=0.0) / 15)
    size = max((size_of(s) for s in signals), default=0.0)
    persistence = min(1.0, hot_windows / 15)
    total = 1 + 2.5 * (rarity + size) + 1.5 * (persistence + min(1.0, math.log10(1 + reach) / 7))
    total += 2 * (kind == "crisis")
    return min(HIGHEST_SEVERITY.get(kind, 10), round(total))
