"""Incidents planted on top of real posts, whose moods the shipped model reads from their texts."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice
from pathlib import Path

import msgspec

from benchmarks.incident_judge import WEEK, judge
from benchmarks.incident_kinds import HOUR, MINUTE, ON_TOP, PLANTED, Incident, known_kinds
from benchmarks.incident_play import Told, play
from benchmarks.incident_report import StreamFindings
from benchmarks.incident_story import DAY, planted_readings
from models.checkpoint import DEFAULT_CHECKPOINT
from models.scorer import Scorer
from schemas.records import Delivery, Post, Reading
from transforms.channels.registry import event_time_of
from transforms.ingest import deliver, read_lines
from transforms.prepare import Preparer
from transforms.readings import make_reading, score_input
from transforms.refusals import Refused

STREAMS = ("stocknet", "mediaeval2016")
STRETCH, LEAD_IN = 14 * DAY, 2 * DAY
MOST_POSTS = 4000
EACH = 4  # incidents of each kind
BATCH = 512
BUSY_BEFORE = 6 * HOUR  # a real alert so shortly before may still be open
AUTHOR_KEY = b"public data needs no secret"


def find_in_stream(name: str, data: Path) -> StreamFindings:
    """Plant on top of the two weeks of a stream with the most posts; one brand is all of it."""
    deliveries = densest(dated(data / "streams" / name / "posts.jsonl.gz"))
    step = -(-len(deliveries) // MOST_POSTS)
    readings = sorted(
        (msgspec.structs.replace(r, brands=(name,)) for r in read(prepare(deliveries[::step]))),
        key=lambda reading: reading.created_at,
    )
    times = [reading.created_at.timestamp() for reading in readings]
    alone = play(name, readings)
    planted = plant_on(name, times)
    incidents = [one for one in planted if not is_busy(one, alone.told)]
    extra = [planted_readings(name, one) for one in incidents]
    played = play(name, merge(readings, *extra, key=lambda reading: reading.created_at))
    return StreamFindings(
        name,
        described=(
            f"{len(readings):,} posts of {(times[-1] - times[0]) / DAY:.0f} days"
            + (f", one in {step} of them" if step > 1 else "")
        ),
        verdicts=judge(name, incidents, played.told, played.posted),
        left_out=len(planted) - len(incidents),
        alerts_alone=len(alone.told) / ((times[-1] - times[0]) / WEEK),
    )


def dated(path: Path) -> list[Delivery]:
    """Posts that say when they were written, in that order."""
    every = (deliver(line, None, event_time_of) for line in read_lines((str(path),)))
    return sorted((one for one in every if one.event_time is not None), key=_time)


def _time(delivery: Delivery) -> float:
    return delivery.event_time or 0.0


def densest(deliveries: list[Delivery], seconds: float = STRETCH) -> list[Delivery]:
    """The stretch with the most posts."""
    times = [_time(one) for one in deliveries]
    ends = [bisect_left(times, time + seconds) for time in times]
    start = max(range(len(times)), key=lambda number: ends[number] - number)
    return deliveries[start : ends[start]]


def prepare(deliveries: Iterable[Delivery]) -> Iterator[Post]:
    """Clean posts; what the pipeline would refuse is left out."""
    preparer = Preparer(author_key=AUTHOR_KEY)
    for delivery in deliveries:
        try:
            yield preparer.prepare(delivery)
        except Refused:
            continue


def read(posts: Iterable[Post]) -> Iterator[Reading]:
    """Readings of the texts."""
    scorer = Scorer.load(DEFAULT_CHECKPOINT)
    waiting = iter(posts)
    while some := list(islice(waiting, BATCH)):
        scores = scorer.score([score_input(post) for post in some])
        yield from map(make_reading, some, scores)


def plant_on(name: str, times: list[float]) -> list[Incident]:
    """Incidents that come on top of what people say, spread evenly over the stretch."""
    rng = random.Random(name)
    kinds = [kind for kind in ON_TOP if kind in known_kinds()] * EACH
    rng.shuffle(kinds)
    since = times[0] + LEAD_IN
    room = (times[-1] - since) / len(kinds)
    incidents = []
    for number, kind in enumerate(kinds):
        start = since + number * room + rng.uniform(0, 0.2) * room
        hour = bisect_left(times, start) - bisect_left(times, start - HOUR)
        incidents.append(PLANTED[kind](rng, start, hour / (HOUR / MINUTE)))
    return incidents


def is_busy(incident: Incident, told: Iterable[Told]) -> bool:
    """Whether something real goes on at the time of an incident, so that nobody could tell."""
    return any(incident.start - BUSY_BEFORE <= t.at <= incident.judged_until for t in told)
