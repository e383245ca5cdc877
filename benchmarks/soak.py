"""The demo's posts without end through the whole stack: `python -m benchmarks.soak --minutes 60`.

Kafka, Flink with two task managers and the shipped model. First the machine's rate is found (a
backlog is worked off), then `--share` of it is played for the time asked for, while everything is
sampled. Ctrl-C ends it early with a verdict on what there is; `--resume` goes on with the same
stack, job and stream. Event time is accelerated: a day of posts passes in a minute or two, so that
windows, finals and the expiry of dedupe state happen all the time.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.demo_stream import midnight, play, read_templates
from benchmarks.machine import describe_machine
from benchmarks.monitor_runs import Topics, running, write_settings
from benchmarks.own_stack import own_stack, remove_data
from benchmarks.playing import Player
from benchmarks.runs_of_jobs import cancel
from benchmarks.soak_report import write_soak_report
from benchmarks.soak_samples import Sampler
from deploy.kafka.topics import create_topics, read_topics
from deploy.processes import REPOSITORY, wait
from deploy.stack import Stack
from pipelines.flink.rest import FlinkRest

SAMPLE_SECONDS = 10.0
START_SECONDS = 600.0  # on a busy machine; a quiet one takes 40
BACKLOG = 1_500  # posts that are worked off to find the rate
RAMP_SECONDS = 60.0  # or as many as are worked off in this time
CHECKPOINT_SECONDS = 10
SPARE_DAYS = 400  # of event time before today; each loop takes one


def find_rate(player: Player, topics: Topics, stop: threading.Event) -> float:
    """Readings a second while a backlog is worked off, from its first tenth on."""
    before = topics.ends()["readings"]
    player.rush(BACKLOG)
    marks: list[tuple[float, int]] = []
    started = time.monotonic()
    while not stop.wait(0.5):
        done = topics.ends()["readings"] - before
        if done >= BACKLOG * 0.1:
            marks.append((time.monotonic(), done))
        if done >= BACKLOG * 0.85 or time.monotonic() - started > START_SECONDS:
            break
        if marks and marks[-1][0] - marks[0][0] > RAMP_SECONDS:
            break
    if len(marks) < 2:
        raise RuntimeError(f"no rate found: {marks} of {BACKLOG} posts read")
    (first, low), (last, high) = marks[0], marks[-1]
    return (high - low) / (last - first)


def soak(
    stack: Stack, options: argparse.Namespace, place: Path, stop: threading.Event
) -> dict[str, Any]:
    """Play and sample until the time is over or `stop` is set; how it was done."""
    memory = place / "soak-position.json"
    earlier = json.loads(memory.read_text()) if options.resume and memory.exists() else {}
    templates = read_templates()
    first_day = earlier.get("first_day", midnight(SPARE_DAYS))
    loop, done = divmod(earlier.get("sent", 0), len(templates))
    posts = islice(play(templates, first_day, loop), done, None)
    topics = Topics(stack.broker.bootstrap_servers)
    player = Player(stack.broker.bootstrap_servers, "posts", posts, 1.0)
    player.sent = earlier.get("sent", 0)
    warm_up(player, topics)
    found = earlier.get("found_rate") or (None if options.rate else find_rate(player, topics, stop))
    player.rate = options.rate or earlier.get("rate") or round(found * options.share, 1)
    how = {"first_day": first_day, "found_rate": found, "rate": player.rate}
    how["checkpointing"] = checkpointing(stack)
    print(f"found {found} posts/s; playing {player.rate}/s for {options.minutes} min", flush=True)
    player.start()
    try:
        sample(Sampler(stack, topics), player, options.minutes, place / "soak.jsonl", stop)
    finally:
        player.stop()
        memory.write_text(json.dumps({**how, "sent": player.sent}))
        topics.close()
    return how


def checkpointing(stack: Stack) -> dict[str, Any]:
    """How Flink takes checkpoints of the job, as it says itself."""
    rest = FlinkRest(stack.flink.rest)
    job = next(job for job in rest.jobs() if job.is_alive)
    return dict(rest.read(f"/jobs/{job.job_id}/checkpoints/config"))


def warm_up(player: Player, topics: Topics) -> None:
    """Wait until the job reads, so that starting is not taken for being slow."""
    before = topics.ends()["readings"]
    player.rush(20)
    wait(lambda: topics.ends()["readings"] > before, START_SECONDS)


def sample(
    sampler: Sampler, player: Player, minutes: float, file: Path, stop: threading.Event
) -> None:
    """Append a sample to `file` every ten seconds."""
    until = time.monotonic() + minutes * 60
    with file.open("a", encoding="utf-8") as lines:
        while time.monotonic() < until and not stop.wait(SAMPLE_SECONDS):
            found = sampler.take()
            found |= {"sent": player.sent, "newest_event": player.event_time}
            lines.write(json.dumps(found) + "\n")
            lines.flush()
            print(sampler.line(found), flush=True)
            if player.error is not None:
                raise player.error


def main(arguments: list[str] | None = None) -> int:
    """Soak, then report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, help="posts a second; without it it is found")
    parser.add_argument("--share", type=float, default=0.4, help="of the rate that is found")
    parser.add_argument("--resume", action="store_true", help="go on where the last one ended")
    parser.add_argument("--home", type=Path, default=REPOSITORY / ".run" / "soak")
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("results"))
    options = parser.parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    place = options.results.resolve()
    place.mkdir(parents=True, exist_ok=True)
    if not options.resume:
        (place / "soak.jsonl").unlink(missing_ok=True)
    machine = describe_machine()
    # A heap that fills for the first time would look like a leak; what is on it is told apart.
    os.environ["JAVA_TOOL_OPTIONS"] = "-XX:+AlwaysPreTouch"
    home = options.home.resolve()
    with own_stack(home, fresh=not options.resume) as stack:
        create_topics(stack.broker.bootstrap_servers, read_topics())
        settings = write_settings(stack, flink={"checkpoint_seconds": CHECKPOINT_SECONDS})
        with running(settings, "flink", home / "moodwire.log"):
            how = soak(stack, options, place, stop)
        cancel(stack, "bench")
    if not stop.is_set():
        remove_data(home)  # one that was ended early can go on
    write_soak_report(machine, {**how, "minutes": options.minutes, "share": options.share}, place)
    return 0


if __name__ == "__main__":
    sys.exit(main())
