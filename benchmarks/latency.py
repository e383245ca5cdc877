"""How long a post takes: `python -m benchmarks.latency`.

Posts of the demo, made now, go to `posts` at a steady rate while `moodwire run` reads them with the
shipped model. Measured by Kafka's clock: from the producer's time of a post to the time at which
the broker had its Reading, and from a window's end to its first on-time Trend.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from kafka import KafkaConsumer, TopicPartition

from benchmarks.demo_stream import Played, Template, read_templates
from benchmarks.machine import describe_in_words, describe_machine, load
from benchmarks.monitor_runs import Topics, running, write_settings
from benchmarks.own_stack import own_stack, remove_data
from benchmarks.playing import Player
from benchmarks.reports import table, write_results
from benchmarks.runs_of_jobs import cancel
from deploy.kafka.topics import create_topics, read_topics
from deploy.processes import REPOSITORY, wait
from deploy.stack import Stack
from schemas.records import Delivery, Position
from transforms.channels.registry import read_source_post
from transforms.refusals import Refused

START_SECONDS = 600.0  # on a busy machine
WARM_SECONDS = 20.0
DISORDER_SECONDS = 2
WINDOW_SECONDS = 10
WINDOWS: dict[str, Any] = {
    "size_seconds": WINDOW_SECONDS,
    "period_seconds": 5,
    "allowed_lateness_seconds": 60,
    "early_posts": 100_000,  # on-time panes alone
    "slices": ["channel"],
}
Kind = tuple[str, str]  # channel and post id


def posts_of_now(templates: list[Template]) -> Iterator[Played]:
    """The demo's posts with the present as their time, for ever."""
    timed = {t.number: t for t in templates if t.event_time is not None}.values()  # none twice
    loop = 0
    while True:
        for template in timed:
            yield template.play(loop, time.time() - (template.event_time or 0.0))
        loop += 1


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of all do not exceed.

    >>> percentile([3.0, 1.0, 2.0, 4.0], 0.5)
    2.0
    """
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 100) // 100) - 1)]


def statistics(values: list[float]) -> dict[str, Any]:
    """Count and percentiles, in seconds."""
    if not values:
        return {"samples": 0}
    shares = {"p50": 0.5, "p95": 0.95, "highest": 1.0}
    named = {name: round(percentile(values, share), 3) for name, share in shares.items()}
    return {"samples": len(values), **named}


def read_all(servers: str, topic: str) -> Iterator[Any]:
    """Every record of a topic."""
    consumer = KafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False)
    places = [TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic) or ()]
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    ends = consumer.end_offsets(places)
    while any(consumer.position(place) < ends[place] for place in places):
        for records in consumer.poll(timeout_ms=200).values():
            yield from records
    consumer.close(autocommit=False)


def identity(record: Any) -> Kind | None:
    """Channel and id of a post as its adapter reads them."""
    channel = dict(record.headers).get("channel")
    delivery = Delivery(
        value=record.value,
        position=Position(record.topic, record.partition, record.offset),
        channel=None if channel is None else channel.decode(),
    )
    try:
        post = read_source_post(delivery)
    except Refused:
        return None
    return post.channel, post.post_id


def reading_latencies(servers: str, since: float) -> list[float]:
    """From produce to Reading, in seconds, of posts since then."""
    sent: dict[Kind, int] = {}
    for record in read_all(servers, "posts"):
        if (name := identity(record)) and record.timestamp >= since * 1000:
            sent.setdefault(name, record.timestamp)
    read: dict[Kind, int] = {}
    for record in read_all(servers, "readings"):
        found = msgspec.json.decode(record.value)
        read.setdefault((found["channel"], found["post_id"]), record.timestamp)
    return [(read[name] - at) / 1000 for name, at in sent.items() if name in read]


def trend_latencies(servers: str, since: float) -> list[float]:
    """From a window's end to its first on-time Trend, in seconds, of windows since then."""
    told: dict[tuple[str, str], tuple[float, float]] = {}
    for record in read_all(servers, "trends"):
        found = msgspec.json.decode(record.value)
        end = msgspec.convert(found["window_end"], type=datetime).timestamp()
        name = (found["brand"], f"{found['slice']}{end}")
        if found["timing"] == "on_time" and end - WINDOW_SECONDS >= since:
            told.setdefault(name, (end, record.timestamp / 1000))
    return [at - end for end, at in told.values()]


def measure(stack: Stack, runner: str, rate: float, seconds: float) -> dict[str, Any]:
    """One run: its latencies after the first ones, which wait for models to load."""
    servers = stack.broker.bootstrap_servers
    topics_anew(servers)
    settings = write_settings(
        stack,
        source={
            "disorder_seconds": DISORDER_SECONDS,
            "kafka": {
                "bootstrap_servers": servers,
                "group_id": f"latency-{runner}-{rate:g}",
                "start": "earliest",
                "idle_seconds": 5,
            },
        },
        windows=WINDOWS,
        sinks={"folder": str(stack.home / f"out-{runner}-{rate:g}")},
        flink={"bundle_milliseconds": 100, "folder": str(stack.home / f"job-{rate:g}")},
    )
    topics = Topics(servers)
    player = Player(servers, "posts", posts_of_now(read_templates()), rate)
    with running(settings, runner, stack.home / f"{runner}.log"):
        player.start()
        try:
            wait(lambda: waiting(topics) < rate * WARM_SECONDS, START_SECONDS)
            time.sleep(WARM_SECONDS)
            since = time.time()
            time.sleep(seconds)
            waited = waiting(topics)
        finally:
            player.stop()
        time.sleep(WINDOW_SECONDS + DISORDER_SECONDS)
    if runner == "flink":
        cancel(stack, "bench")
    topics.close()
    return {
        "runner": runner,
        "rate": rate,
        "load": load(),
        "waiting_at_end": waited,
        "reading": statistics(reading_latencies(servers, since)),
        "trend": statistics(trend_latencies(servers, since)),
    }


def waiting(topics: Topics) -> float:
    """Posts that have not come out yet; infinitely many before the first Reading."""
    ends = topics.ends()
    if not ends["readings"]:
        return math.inf
    return ends["posts"] - ends["readings"] - ends["dead-letters"]


def topics_anew(servers: str) -> None:
    """The topics of the house, whose records carry the broker's time where we read it."""
    from kafka import KafkaAdminClient

    declared = read_topics()
    with KafkaAdminClient(bootstrap_servers=servers) as admin:
        if present := set(admin.list_topics()) & declared.keys():
            admin.delete_topics(sorted(present))
            wait(lambda: not set(admin.list_topics()) & declared.keys(), 30)
    for name in ("readings", "trends"):
        declared[name]["configs"]["message.timestamp.type"] = "LogAppendTime"
    declared["trends"]["configs"].pop("cleanup.policy", None)  # every pane is looked at
    create_topics(servers, declared)


def main(arguments: list[str] | None = None) -> int:
    """Measure each runner at each rate and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runners", nargs="+", choices=("prism", "flink"))
    parser.add_argument("--rates", nargs="+", type=float, default=[5, 20, 60])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--home", type=Path, default=REPOSITORY / ".run" / "bench-latency")
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("results"))
    options = parser.parse_args(arguments)
    runners = options.runners or ["prism", "flink"]
    machine, found = describe_machine(), []
    with own_stack(options.home.resolve(), with_flink="flink" in runners) as stack:
        for runner in runners:
            for rate in options.rates:
                found.append(measure(stack, runner, rate, options.seconds))
                print(found[-1], flush=True)
    remove_data(options.home)
    results = {"machine": machine, "seconds": options.seconds, "runs": found}
    write_results(results, in_words(results), options.results, "latency")
    return 0


def in_words(results: dict[str, Any]) -> str:
    """The report for people."""
    columns = ["runner", "posts/s", "load", "", "samples", "p50 s", "p95 s", "highest s"]
    rows = [
        [run["runner"], f"{run['rate']:g}", str(run["load"]), words, *_cells(run[kind])]
        for run in results["runs"]
        for kind, words in (("reading", "produce → Reading"), ("trend", "window end → Trend"))
    ]
    parts = [
        "# Latency",
        describe_in_words(results["machine"]),
        f"{results['seconds']:g} s each after warm-up; Flink with 2 task managers; posts of the "
        "demo with their pictures, the shipped model; windows of 10 s every 5 s. Every window "
        f"waits {DISORDER_SECONDS} s for posts out of order (`disorder_seconds`), which is part "
        "of its figure. Readings and trends are timed by the broker that takes them.",
        table(columns, rows),
    ]
    return "\n\n".join(parts) + "\n"


def _cells(found: dict[str, Any]) -> list[str]:
    if not found["samples"]:
        return ["0", "–", "–", "–"]
    return [str(found["samples"]), *(f"{found[k]:.2f}" for k in ("p50", "p95", "highest"))]


if __name__ == "__main__":
    sys.exit(main())
