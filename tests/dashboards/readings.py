"""The readings of the invented day: what a search on the page finds."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.emotions import EMOTIONS
from schemas.records import Exemplar, Reading
from tests.dashboards.incidents import at, build_alerts
from tests.dashboards.story import VOICES, Voice, exemplar

SAID = {
    "Aerolume": (
        Voice("x", "Aerolume lost my bag. Again.", -0.83, "annoyance", 640, 1.0),
        Voice("x", "my suitcase never arrived, @aerolume has no idea", -0.71, "anger", 220, 1.0),
        Voice("reddit", "Two weeks and still no luggage. Do they answer?", -0.66, "anger", 95, 1.0),
        Voice("x", "Lovely crew on @aerolume today", 0.87, "admiration", 310, 1.0),
        Voice("instagram", "above the clouds with aerolume", 0.52, "joy", 4_100, 0.41, "wing"),
        Voice("x", "three hours in this line @aerolume", -0.62, "annoyance", 870, 0.48, "queue"),
        Voice("x", "Is AL482 on the ground? Smoke on board, they say", -0.58, "fear", 15_300, 1.0),
        Voice("tiktok", "masks came down, we are fine", -0.33, "relief", 61_000, 0.29, "cabin"),
    ),
    "Nordbrew": (
        Voice("x", "the milk in my flat white was sour @nordbrew", -0.77, "disgust", 510, 1.0),
        Voice("instagram", "first cup of the day", 0.66, "joy", 1_900, 0.35, "cup"),
    ),
    "Pixelpine": (
        Voice("x", "cracked on day two. great.", -0.69, "annoyance", 2_050, 0.44, "phone"),
        Voice("reddit", "Pixelpine 4 camera is the best I ever had", 0.9, "joy", 760, 1.0),
    ),
}


def build_readings() -> Iterator[Reading]:
    """What was said of each brand, and the posts behind the alerts."""
    for brand, voices in SAID.items():
        for n, voice in enumerate((*voices, *VOICES[brand])):
            yield reading_of(exemplar(voice, at(14.4 + n / 9), f"{brand[:2]}-{n}"), brand)
    for alert in build_alerts():
        for post in alert.evidence:
            yield reading_of(post, alert.brand)


def reading_of(post: Exemplar, brand: str) -> Reading:
    """The reading that a post of the page stands for."""
    positive, negative = max(0.0, post.valence), max(0.0, -post.valence)
    return Reading(
        channel=post.channel,
        post_id=post.post_id,
        created_at=post.created_at,
        author=f"author of {post.post_id}",
        text=post.text,
        lang="en",
        country="unknown",
        reach=post.reach,
        is_repost=False,
        permalink=post.permalink,
        brands=(brand,),
        cluster_id="",
        sentiment={"negative": negative, "neutral": 1 - positive - negative, "positive": positive},
        emotions=dict.fromkeys(EMOTIONS, 0.01) | {post.emotion: 0.8},
        irony=0.1,
        offence=0.1,
        valence=post.valence,
        confidence=0.8,
        abstained=False,
        weights=post.weights,
        mismatch=None,
        model="synthetic-1",
        thumbnails=(post.thumbnail,) if post.thumbnail else (),
    )
