"""A day of four invented brands, one of which has a crisis that pictures lead."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from schemas.records import Exemplar, Weights
from tests.dashboards.drawings import rendition

DAY = datetime(2026, 11, 23, tzinfo=UTC)
CRISIS_HOUR = 14.2
SCRIPT_POST = 'Is it just me? <script>document.title="owned"</script><img src=x onerror=alert(1)>'


@dataclass(frozen=True)
class Moment:
    """What the posts of one window are like."""

    posts: float
    valence: float
    image_share: float


@dataclass(frozen=True)
class Voice:
    """One post that a window or an alert shows."""

    channel: str
    text: str
    valence: float
    emotion: str
    reach: int
    text_weight: float
    scene: str | None = None


def _bump(hour: float, start: float, rise: float, fall: float) -> float:
    """0 before `start`, then up within about `rise` hours and down over about `fall`."""
    if hour < start:
        return 0.0
    return (1 - math.exp(-(hour - start) / rise)) * math.exp(-max(0, hour - start - rise) / fall)


def _day(hour: float) -> float:
    return 0.35 + 0.65 * math.exp(-(((hour - 13.5) / 5.0) ** 2))


def aerolume(hour: float) -> Moment:
    """Calm until the pictures from the cabin come."""
    crisis = _bump(hour, CRISIS_HOUR, 0.35, 6.0)
    return Moment(
        26 * _day(hour) + 210 * crisis,
        0.24 + 0.06 * math.sin(hour * 1.7) - 0.94 * crisis,
        0.22 + 0.4 * crisis,
    )


def nordbrew(hour: float) -> Moment:
    """A morning of sour milk, then forgiven."""
    sour = _bump(hour, 9.3, 0.3, 0.7)
    return Moment(
        34 * _day(hour) + 46 * sour, 0.38 + 0.07 * math.sin(hour * 1.1) - 0.85 * sour, 0.3
    )


def pixelpine(hour: float) -> Moment:
    """A phone is launched at noon, to delight."""
    launch = _bump(hour, 12.0, 0.25, 1.4)
    return Moment(
        22 * _day(hour) + 120 * launch,
        0.08 + 0.08 * math.sin(hour * 0.9) + 0.5 * launch,
        0.26 + 0.2 * launch,
    )


def velora(hour: float) -> Moment:
    """Nothing happens, as on most days."""
    return Moment(15 * _day(hour), 0.12 + 0.1 * math.sin(hour * 0.8 + 2), 0.45)


BRANDS = {"Aerolume": aerolume, "Nordbrew": nordbrew, "Pixelpine": pixelpine, "Velora": velora}

EVIDENCE = (
    Voice(
        "x",
        "Smoke in the cabin 20 minutes after take-off on @aerolume AL482. Masks down. We are "
        "landing now and nobody tells us anything.",
        -0.91,
        "fear",
        184_200,
        0.31,
        "cabin",
    ),
    Voice(
        "instagram",
        "what a beautiful view from my seat today, thanks @aerolume 🙃🔥",
        -0.78,
        "anger",
        96_400,
        0.17,
        "wing",
    ),
    Voice(
        "reddit",
        "Stuck at the gate for four hours with two kids. No food, no hotel, one app that says "
        "“everything is on time”.",
        -0.74,
        "anger",
        12_900,
        0.63,
        "queue",
    ),
    Voice("x", SCRIPT_POST, -0.41, "surprise", 310, 1.0),
)
VOICES = {
    "Aerolume": EVIDENCE[:3],
    "Nordbrew": (
        Voice("instagram", "Monday, solved. ☕️", 0.71, "joy", 2_310, 0.38, "cup"),
        Voice("x", "Nordbrew raised prices again and I paid again.", -0.22, "sadness", 840, 1.0),
        Voice("reddit", "The oat flat white is back to how it was.", 0.64, "joy", 1_120, 1.0),
    ),
    "Pixelpine": (
        Voice("x", "Night mode on the Pixelpine 4 is unreal.", 0.86, "joy", 44_000, 0.42, "phone"),
        Voice("youtube", "Unboxing in an hour, ask me anything", 0.44, "surprise", 23_500, 1.0),
        Voice("reddit", "Battery is the same as last year. Pass.", -0.35, "sadness", 700, 1.0),
    ),
    "Velora": (
        Voice("instagram", "Wore the green coat all week. Compliments: 6", 0.58, "joy", 410, 1.0),
        Voice("tiktok", "thrift haul with one Velora gem", 0.33, "joy", 5_900, 1.0),
    ),
}


def exemplar(voice: Voice, at: datetime, post_id: str) -> Exemplar:
    """The post as records carry it."""
    return Exemplar(
        channel=voice.channel,
        post_id=post_id,
        created_at=at,
        text=voice.text,
        valence=voice.valence,
        emotion=voice.emotion,
        reach=voice.reach,
        weights=Weights(text=voice.text_weight, image=round(1 - voice.text_weight, 2)),
        permalink=f"https://example.org/{voice.channel}/{post_id}",
        thumbnail=rendition(voice.scene)[0] if voice.scene else None,
    )
