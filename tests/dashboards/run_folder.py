"""A run folder as a run would write it, from a seed: what the live page is developed against."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import msgspec

from schemas.records import (
    Estimate,
    PaneTiming,
    Position,
    Rejection,
    Rollup,
    Slice,
    Trend,
    encode,
)
from tests.dashboards.drawings import SCENES, rendition
from tests.dashboards.incidents import build_alerts
from tests.dashboards.story import BRANDS, DAY, VOICES, Moment, exemplar
from tests.dashboards.topics import build_topics

WINDOW = timedelta(minutes=5)
PERIOD = timedelta(minutes=2)
FIRST_HOUR, LAST_HOUR = 6.0, 16.6
SLICES = (
    *(Slice(channel=name) for name in ("x", "instagram", "reddit", "youtube")),
    *(Slice(lang=name) for name in ("en", "de", "es")),
    *(Slice(country=name) for name in ("US", "GB", "DE", "unknown")),
)
SHARES = (0.46, 0.27, 0.19, 0.08, 0.71, 0.18, 0.11, 0.34, 0.22, 0.17, 0.27)
LEANINGS = (-0.05, 0.06, -0.12, 0.12, 0.0, 0.04, -0.03, 0.0, 0.03, -0.05, 0.02)


def _estimate(mean: float, spread: float, low: float = -1.0) -> Estimate:
    mean = min(1.0, max(low, mean))
    return Estimate(mean, max(low, mean - spread), min(1.0, mean + spread))


def _wander(seed: str, start: datetime) -> float:
    """Noise of about -0.7 to 0.7 that neighbours share, as windows that overlap do."""
    place = int(start.timestamp()) // PERIOD.seconds
    steps = [_step(seed, place + n) for n in range(5)]
    return float(sum(steps) / len(steps) ** 0.75)


@cache
def _step(seed: str, place: int) -> float:
    return random.Random(f"{seed}{place}").uniform(-1, 1)


def _mood(valence: float, spread: float, chance: random.Random) -> dict[str, Estimate]:
    bad, good = max(0.0, -valence), max(0.0, valence)
    weights = {
        "anger": 0.10 + 0.75 * bad,
        "disgust": 0.05 + 0.20 * bad,
        "fear": 0.06 + 0.55 * bad,
        "joy": 0.14 + 0.95 * good,
        "neutral": 0.34,
        "sadness": 0.09 + 0.22 * bad,
        "surprise": 0.10 + 0.12 * (good + bad),
    }
    noisy = {name: part * chance.uniform(0.96, 1.04) for name, part in weights.items()}
    total = sum(noisy.values())
    return {name: _estimate(part / total, spread / 2, low=0.0) for name, part in noisy.items()}


def a_trend(
    brand: str,
    start: datetime,
    moment: Moment,
    *,
    timing: PaneTiming = "final",
    part: Slice | None = None,
    seed: str = "",
) -> Trend:
    """One window of `brand` in which posts are like `moment`."""
    chance = random.Random(f"{brand}{start}{part}{seed}")
    posts = max(1, round(moment.posts * (1 + 0.3 * _wander(f"{brand} posts", start))))
    spread = 0.62 / posts**0.5
    valence = max(-0.97, min(0.97, moment.valence + spread * _wander(brand, start)))
    with_image = round(posts * moment.image_share)
    voices = () if part else VOICES.get(brand, ())
    return Trend(
        brand=brand,
        slice=part or Slice(),
        window_start=start,
        window_end=start + WINDOW,
        pane_index=posts,
        timing=timing,
        final=timing == "final",
        posts=posts,
        authors=max(1, round(posts * 0.91)),
        clusters=max(1, round(posts * 0.62)),
        posts_with_image=with_image,
        abstained=round(posts * 0.04),
        reach=posts * 930,
        valence=_estimate(valence, spread),
        valence_reach_weighted=valence,
        image_valence=_estimate(valence - 0.12, spread * 1.6) if with_image else None,
        share_negative=_estimate(0.36 - 0.5 * valence, spread * 0.6, low=0.0),
        mood=_mood(valence, spread, chance),
        image_weight=round(0.2 + moment.image_share * 0.8, 3),
        exemplars=tuple(
            exemplar(voice, start + timedelta(seconds=41 * n), f"{brand[:2]}{start:%H%M}{n}")
            for n, voice in enumerate(voices)
        ),
        model="synthetic-1",
    )


def a_rollup(
    brand: str, start: datetime, hours: int, moment: Moment, *, timing: PaneTiming = "final"
) -> Rollup:
    """Some hours of `brand` in which a window of five minutes is like `moment`."""
    windows = hours * timedelta(hours=1) // WINDOW
    busier = replace(moment, posts=moment.posts * windows)
    trend = a_trend(brand, start, busier, timing=timing, seed=f"{hours} h")
    end = start + timedelta(hours=hours)
    return Rollup(**(msgspec.structs.asdict(trend) | {"window_end": end}))


def build_rollups() -> Iterator[Rollup]:
    """The hours of that day, and a week of days, of every brand; the newest still filling."""
    for brand, story in BRANDS.items():
        for back in range(6, -1, -1):
            timing: PaneTiming = "final" if back else "early"
            yield a_rollup(brand, DAY - timedelta(days=back), 24, story(8.0 + back), timing=timing)
        for hour in range(int(FIRST_HOUR), int(LAST_HOUR) + 1):
            timing = "final" if hour < 15 else "on_time" if hour < 16 else "early"
            yield a_rollup(brand, DAY + timedelta(hours=hour), 1, story(hour + 0.5), timing=timing)


def _starts() -> Iterator[datetime]:
    start = DAY + timedelta(hours=FIRST_HOUR)
    while start <= DAY + timedelta(hours=LAST_HOUR):
        yield start
        start += PERIOD


def build_trends() -> Iterator[Trend]:
    """A day of every brand and slice, in the order of time; the newest windows still open."""
    starts = list(_starts())
    for place, start in enumerate(starts):
        left = len(starts) - place
        timing: PaneTiming = "final" if left > 30 else "on_time" if left > 3 else "early"
        hour = (start - DAY).total_seconds() / 3600
        for brand, story in BRANDS.items():
            moment = story(hour)
            yield a_trend(brand, start, moment, timing=timing)
            for part, share, lean in zip(SLICES, SHARES, LEANINGS, strict=True):
                if left <= 60:
                    piece = Moment(moment.posts * share, moment.valence + lean, moment.image_share)
                    yield a_trend(brand, start, piece, timing=timing, part=part)


def build_counters(running: bool = True) -> dict[str, object]:
    """The counters of that day."""
    watermark = DAY + timedelta(hours=LAST_HOUR, minutes=-1)
    return {
        "moodwire_posts_read_total": 48_112,
        'moodwire_posts_cleaned_total{channel="x"}': 24_806,
        'moodwire_posts_cleaned_total{channel="instagram"}': 12_904,
        'moodwire_posts_cleaned_total{channel="reddit"}': 9_361,
        'moodwire_duplicates_total{channel="x"}': 733,
        'moodwire_posts_unmatched_total{channel="reddit"}': 1_204,
        'moodwire_readings_total{channel="x",model="synthetic-1"}': 46_338,
        'moodwire_trends_total{timing="on_time"}': 14_652,
        'moodwire_alerts_total{kind="crisis",status="firing"}': 9,
        'moodwire_dead_letters_total{stage="decode",cause="not_json"}': 187,
        'moodwire_dead_letters_total{stage="validate",cause="too_late"}': 96,
        'moodwire_dead_letters_total{stage="clean",cause="text_empty"}': 25,
        'moodwire_media_faults_total{cause="too_large"}': 41,
        'moodwire_expectation_failures_total{expectation="lang_is_known"}': 12,
        'moodwire_sink_retries_total{sink="alerts"}': 2,
        "moodwire_kafka_lag_records": 17,
        'moodwire_drift_millionths{model="synthetic-1",statistic="valence",measure="psi"}': 41_250,
        'moodwire_drift_millionths{model="synthetic-1",statistic="valence",measure="js"}': 90_400,
        'moodwire_drift_posts{model="synthetic-1"}': 2_914,
        'moodwire_model_batches_total{model="synthetic-1"}': 1_911,
        'moodwire_model_milliseconds_total{model="synthetic-1"}': 402_310,
        'moodwire_model_remembered_total{model="synthetic-1"}': 3_902,
        "moodwire_shadow_posts_total": 4_630,
        "moodwire_shadow_differing_total": 212,
        'moodwire_shadow_differences_millionths_total{output="valence"}': 311_204_000,
        'moodwire_shadow_skipped_total{cause="busy"}': 17,
        "watermark": watermark.timestamp(),
        "running": running,
        "title": "Moodwire demo",
        "speed": 60.0,
    }


def a_rejection(offset: int = 0, cause: str = "not_json") -> Rejection:
    """A dead letter at `offset`."""
    position = Position("posts", 0, offset)
    return Rejection(original=b"{", position=position, stage="decode", cause=cause, detail="…")


def append(path: Path, *records: msgspec.Struct) -> None:
    """Append records to a file as the run does."""
    with path.open("ab") as stream:
        stream.write(b"".join(encode(record) + b"\n" for record in records))


def write_counters(folder: Path, counters: dict[str, object]) -> None:
    """Replace the counters in one step, as the run does."""
    partial = folder / "counters.json.part"
    partial.write_text(json.dumps(counters))
    partial.replace(folder / "counters.json")


def build_run_folder(folder: Path, running: bool = True) -> Path:
    """Write the whole day to `folder`."""
    (folder / "media").mkdir(parents=True, exist_ok=True)
    for scene in SCENES:
        sha256, jpeg = rendition(scene)
        (folder / "media" / f"{sha256}.jpg").write_bytes(jpeg)
    append(folder / "trends.jsonl", *build_trends())
    append(folder / "rollups.jsonl", *build_rollups())
    append(folder / "alerts.jsonl", *build_alerts())
    append(folder / "topics.jsonl", *build_topics())
    append(folder / "dead-letters.jsonl", *(a_rejection(offset) for offset in range(3)))
    write_counters(folder, build_counters(running))
    return folder
