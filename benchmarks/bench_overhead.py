"""What the pipeline adds to the model: `python -m benchmarks.bench_overhead`.

Two days of the demo lie on `posts`; `moodwire run` reads them as fast as it can. Readings a second,
in the steady stretch, over what the model alone makes of the same posts on the same cores. Once
with the times that a live stream of that rate has, hundreds of posts in each window, and once with
those of the days, where the replay closes a window every few posts.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

from kafka import KafkaProducer

from benchmarks.demo_stream import Played, Template, midnight, play, read_templates
from benchmarks.latency import topics_anew
from benchmarks.machine import describe_in_words, describe_machine, load
from benchmarks.monitor_runs import Topics, running, write_settings
from benchmarks.own_stack import own_stack, remove_data
from benchmarks.reports import table, write_results
from benchmarks.runs_of_jobs import cancel
from deploy.processes import REPOSITORY
from deploy.stack import Stack
from models.scorer import ScoreInput
from schemas.records import Delivery, Position
from transforms.attach import attach_media
from transforms.prepare import Preparer
from transforms.refusals import Refused

LOOK_SECONDS = 0.25
STILL_SECONDS = 20.0  # without another reading the run is over
START_SECONDS, LIMIT_SECONDS = 300.0, 1_800.0
STEADY = (0.2, 0.9)  # of the readings
MODEL_BUNDLE = "128"  # posts, as Flink's bundles hold
Sample = tuple[float, int]


def steady_rate(samples: list[Sample], last: int) -> float:
    """Readings a second between the two shares of the last count.

    >>> steady_rate([(0.0, 0), (1.0, 20), (8.0, 90), (9.0, 100)], 100)
    10.0
    """
    low, high = (next(s for s in samples if s[1] >= share * last) for share in STEADY)
    return (high[1] - low[1]) / (high[0] - low[0])


def model_inputs(posts: list[Played]) -> list[ScoreInput]:
    """What the model sees of the records, refused and repeated ones left out."""
    preparer, inputs, seen = Preparer(), [], set()
    for post in posts:
        delivery = Delivery(
            value=post.value,
            position=Position("posts", 0, 0),
            channel=post.channel,
            event_time=post.event_time,
        )
        try:
            clean = preparer.prepare(delivery)
        except Refused:
            continue
        if (clean.channel, clean.post_id) not in seen:
            seen.add((clean.channel, clean.post_id))
            media, _ = attach_media(clean.images)
            inputs.append(ScoreInput(clean.model_text, tuple(one.rendition for one in media)))
    return inputs


def model_alone(inputs: list[ScoreInput]) -> dict[str, Any]:
    """The shipped model in a process of its own, with every core."""
    with tempfile.NamedTemporaryFile(suffix=".pickle") as file:
        pickle.dump(([ScoreInput("warm"), ScoreInput("up")], inputs), file)
        file.flush()
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.model_alternatives", "Moodwire, auto", file.name],
            cwd=REPOSITORY,
            env={**os.environ, "BUNDLE": MODEL_BUNDLE},
            capture_output=True,
            text=True,
            check=True,
        )
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def as_live(templates: list[Template], count: int, rate: float) -> list[Played]:
    """Posts of the day, again and again, as a stream that ends now and has so many a second."""
    first = time.time() - count / rate
    days = ((loop, template) for loop in itertools.count() for template in templates)
    return [
        template.play(loop, first + number / rate - (template.event_time or 0.0))
        for number, (loop, template) in enumerate(islice(days, count))
    ]


def whole_run(stack: Stack, runner: str, times: str, posts: list[Played]) -> dict[str, Any]:
    """A run over all posts, which lie there before it starts."""
    servers = stack.broker.bootstrap_servers
    topics_anew(servers)
    with KafkaProducer(bootstrap_servers=servers, max_request_size=4_000_000) as producer:
        for number, post in enumerate(posts):
            producer.send("posts", post.value, partition=number % 4, headers=post.headers)
        producer.flush()
    settings = write_settings(
        stack,
        sinks={"folder": str(stack.home / f"out-{runner}")},
        flink={"folder": str(stack.home / "job")},
    )
    topics = Topics(servers)
    with running(settings, runner, stack.home / f"{runner}.log"):
        samples = follow(topics)
    if runner == "flink":
        cancel(stack, "bench")
    topics.close()
    last = samples[-1][1]
    rate = steady_rate(samples, last)
    return {"runner": runner, "times": times, "load": load(), "readings": last, "rate": rate}


def follow(topics: Topics) -> list[Sample]:
    """How many readings there are, until no more come.

    Raises:
        RuntimeError: none came at all.
    """
    started = time.monotonic()
    samples: list[Sample] = [(started, 0)]
    grew = started + START_SECONDS
    while time.monotonic() < min(grew + STILL_SECONDS, started + LIMIT_SECONDS):
        time.sleep(LOOK_SECONDS)
        now, count = time.monotonic(), topics.ends()["readings"]
        grew = now if count > samples[-1][1] else grew
        samples.append((now, count))
    if not samples[-1][1]:
        raise RuntimeError("no reading came; see the log below --home")
    return samples


def in_words(results: dict[str, Any]) -> str:
    """The report for people."""
    alone = results["model"]["rate"]
    rows = [
        [
            run["runner"],
            run["times"],
            f"{run['readings']:,}",
            f"{run['rate']:.0f}",
            f"{run['rate'] / alone:.2f}",
        ]
        for run in results["runs"]
    ]
    parts = [
        "# The pipeline over the model",
        describe_in_words(results["machine"]),
        f"Days of the demo, {results['model']['posts']:,} posts to read; the model alone reads "
        f"{alone:.0f} a second with every core (bundles of {MODEL_BUNDLE}). Rate: readings that "
        "the broker took, between the first fifth and the last tenth. Flink with 2 task managers; "
        "the broker, the runner and the pipeline share the cores. Times: `live`, as dense as the "
        "model's rate; `replay`, those of the days, which close a window every few posts.",
        table(["", "times", "readings", "posts/s", "over the model alone"], rows),
    ]
    return "\n\n".join(parts) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Measure the model, then each runner, and write the results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--runners", nargs="+", choices=("prism", "flink"), default=["prism", "flink"]
    )
    parser.add_argument(
        "--times", nargs="+", choices=("live", "replay"), default=["live", "replay"]
    )
    parser.add_argument("--posts", type=int, default=10_000, help="default: two days of the demo")
    parser.add_argument("--home", type=Path, default=REPOSITORY / ".run" / "bench-overhead")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("results"))
    options = parser.parse_args(arguments)
    templates = read_templates()
    posts = list(islice(play(templates, midnight(9)), options.posts))
    machine = describe_machine()
    model = model_alone(model_inputs(posts))
    print(model, flush=True)
    streams = {"live": as_live(templates, options.posts, model["rate"]), "replay": posts}
    runs = []
    with own_stack(options.home.resolve(), with_flink="flink" in options.runners) as stack:
        for runner in options.runners:
            for times in options.times:
                runs.append(whole_run(stack, runner, times, streams[times]))
                print(runs[-1], flush=True)
    remove_data(options.home)
    results = {"machine": machine, "model": model, "runs": runs}
    write_results(results, in_words(results), options.output, "overhead")
    return 0


if __name__ == "__main__":
    sys.exit(main())
