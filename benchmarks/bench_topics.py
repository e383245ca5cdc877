"""Topics: do groups follow events, do new ones alert? `python -m benchmarks.bench_topics --help`.

Groups: posts of six events at a time (MediaEval 2016), or of six companies (StockNet), drawn at
random, near-duplicates once; grouped by average linkage on the joint space, on words, and on both.
Each way is shown at the threshold that suits it best on these very draws, the shipped one at the
shipped threshold.

New topics: posts in random order are quiet, since whatever is said in one hour may be said in any
other; every alert there is false. In their midst an hour of posts about one event of MediaEval is
planted, half as many as the hour has, 30 at least; each event once, the first after 30 hours.

  python -m benchmarks.bench_topics --data ../shared/data
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.machine import describe_in_words, describe_machine
from benchmarks.reports import table, write_results
from benchmarks.topic_groups import Quality, compare, different_texts
from benchmarks.topic_play import BEGIN, Said, hours_in, plant, play_topics, spread_out
from models.checkpoint import DEFAULT_CHECKPOINT
from models.detection.topic_memory import HOUR_SECONDS
from models.detection.topic_watch import TopicRules
from models.scorer import Scorer

QUIET = {
    "tweets about companies": "streams/stocknet/posts.jsonl.gz",
    "comments on Reddit": "text/goemotions/train.jsonl.gz",
    "tweets about anything": "text/sentiment/train.jsonl.gz",
}
PACES = (20, 60, 250)  # posts an hour
FIRST, EVERY = 30, 12  # hours until the first event is planted, and from one to the next
PLANTED_HOUR = 1.5
RULES = TopicRules()


class Detection(NamedTuple):
    """What a stream raised: alone, and with events in it."""

    stream: str
    per_hour: int
    weeks: float
    false_alerts: int
    planted: int
    found: int
    beside: int
    milliseconds: float


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a file of JSON lines."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def events_in(data: Path) -> Iterator[tuple[str, str]]:
    """Event and text of each post of MediaEval, told by the name of its image."""
    for row in rows_of(data / "streams/mediaeval2016/posts.jsonl.gz"):
        if row.get("images"):
            yield Path(row["images"][0]).stem.rsplit("_", 2)[0], row["text"]


def companies_in(data: Path) -> Iterator[tuple[str, str]]:
    """Ticker and text of each post of StockNet."""
    for row in rows_of(data / "streams/stocknet/posts.jsonl.gz"):
        yield row["brand"], row["text"]


def detect(
    name: str, texts: list[str], per_hour: int, most_hours: int, events: dict[str, list[str]]
) -> Detection:
    """Alerts of a quiet stream, and of the same with events planted in it."""
    said = spread_out(texts[: per_hour * most_hours], per_hour)
    hours = len(said) / per_hour
    began = time.process_time()
    quiet = play_topics(name, hours_in(name, said), RULES)
    spent = time.process_time() - began
    starts = [BEGIN + (FIRST + EVERY * n) * HOUR_SECONDS for n in range(int(hours))]
    chosen = list(zip(sorted(events), starts, strict=False))
    chosen = [(event, at) for event, at in chosen if at < said[-1].at - 3 * HOUR_SECONDS]
    planted = [post for event, at in chosen for post in _posts(event, events, at, per_hour)]
    told = play_topics(name, hours_in(name, sorted([*said, *planted])), RULES).alerts
    begun = [alert.since.timestamp() for alert in told]
    found = [any(0 <= since - at <= HOUR_SECONDS for since in begun) for _, at in chosen]
    return Detection(
        name,
        per_hour,
        round((hours - RULES.warm_up_hours) / 168, 2),
        len(quiet.alerts),
        len(chosen),
        sum(found),
        sum(not any(0 <= since - at <= HOUR_SECONDS for _, at in chosen) for since in begun),
        round(1000 * spent / hours, 1),
    )


def _posts(event: str, events: dict[str, list[str]], at: float, per_hour: int) -> list[Said]:
    texts = events[event][: max(30, per_hour // 2)]
    return plant(texts, event, at, PLANTED_HOUR * HOUR_SECONDS, seed=len(texts))


def main() -> None:
    """Group, detect, write the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the public data")
    parser.add_argument("--rounds", type=int, default=20, help="draws of six events (20)")
    parser.add_argument("--hours", type=int, default=400, help="of each stream (400)")
    parser.add_argument("--paces", type=int, nargs="+", default=PACES, help="posts an hour")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results"))
    args = parser.parse_args()
    machine = describe_machine()
    scorer = Scorer.load(DEFAULT_CHECKPOINT)
    labelled = {"events": events_in(args.data), "companies": companies_in(args.data)}
    groups = {
        name: compare(different_texts(list(posts)), args.rounds, scorer)
        for name, posts in labelled.items()
    }
    events: dict[str, list[str]] = defaultdict(list)
    for event, text in events_in(args.data):
        events[event].append(text)
    events = {event: random.Random(1).sample(t, len(t)) for event, t in events.items()}
    events = {event: texts for event, texts in events.items() if len(texts) >= 30}
    found = []
    for name, path in QUIET.items():
        texts = [row["text"] for row in rows_of(args.data / path)]
        random.Random(5).shuffle(texts)
        for per_hour in args.paces:
            found.append(detect(name, texts, per_hour, args.hours, events))
            print(found[-1], flush=True)
    write_report(machine, groups, found, args.output)


def write_report(
    machine: dict[str, Any],
    groups: dict[str, dict[str, Quality]],
    found: list[Detection],
    folder: Path,
) -> None:
    """The figures as JSON and Markdown."""
    columns = ["grouped by", "V-measure", "adjusted Rand", "purity", "best F1", "groups"]
    parts = ["# Topics: groups and new ones", describe_in_words(machine)]
    for name, qualities in groups.items():
        shown = [[way, *map(str, quality)] for way, quality in qualities.items()]
        parts += [f"## Groups against {name}", table(columns, shown)]
    weeks = sum(one.weeks for one in found)
    rate = sum(one.false_alerts for one in found) / weeks
    share = f"{sum(one.found for one in found)} of {sum(one.planted for one in found)}"
    heads = [
        "posts",
        "an hour",
        "weeks",
        "false alerts",
        "planted",
        "found",
        "beside",
        "ms an hour",
    ]
    parts += [
        "## New topics",
        f"{rate:.2f} false alerts a brand-week over {weeks:.1f} quiet weeks; {share} events found. "
        "Beside: alerts about something else while events were planted. Made by `python -m "
        "benchmarks.bench_topics`.",
        table(heads, [[str(value) for value in one] for one in found]),
    ]
    results = {
        "machine": machine,
        "groups": {n: {w: q._asdict() for w, q in of.items()} for n, of in groups.items()},
        "new_topics": [one._asdict() for one in found],
    }
    write_results(results, "\n\n".join(parts) + "\n", folder, "topics")


if __name__ == "__main__":
    main()
