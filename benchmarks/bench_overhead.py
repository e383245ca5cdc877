"""What the pipeline adds to the model: `python -m benchmarks.bench_overhead --data DATA`.

Different posts lie on `posts`, dated as a live stream of the model's rate; `moodwire run` reads
them as fast as it can. Readings a second, in the steady stretch, over what the model alone makes of
the same posts on the same cores.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from kafka import KafkaProducer

from benchmarks.bench_models import WARM_POSTS, Posts
from benchmarks.bench_models import run as run_alternative
from benchmarks.company_posts import as_live, company_posts
from benchmarks.latency import topics_anew
from benchmarks.machine import describe_in_words, describe_machine, load
from benchmarks.memory import command, cpu_seconds, descendants, kind_of
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
from transforms.readings import score_input

LOOK_SECONDS = 0.5
STILL_SECONDS = 60.0  # without another reading the run is over; on Prism they come in bursts
START_SECONDS, LIMIT_SECONDS = 300.0, 1_800.0
WARM_UP_POSTS = 11_000  # the JVMs compile for two minutes, which is 0.9 ms of each post then
MODEL_BUNDLE = 128  # posts
MODEL_POSTS = 4_000
PARTS = {"python": "workers", "worker": "workers", "prism": "runner", "broker": "broker"}


class Sample(NamedTuple):
    """How far a run was at a moment, and what processor time each part of it had used."""

    at: float
    readings: int
    cpu: Mapping[str, float]


def steady(samples: list[Sample], warm_up: int) -> tuple[Sample, Sample]:
    """The ends of the steady stretch: from the last reading that warmed up to the last of all.

    >>> low, high = steady([Sample(float(n), n, {}) for n in (0, 20, 30, 95, 100, 100)], 25)
    >>> low.readings, high.readings
    (30, 100)
    """
    last = samples[-1].readings
    low, high = (next(s for s in samples if s.readings >= least) for least in (warm_up, last))
    return low, high


def model_inputs(values: list[bytes]) -> list[ScoreInput]:
    """What the model sees of the records.

    Raises:
        Refused: one of them is a dead letter, which none should be.
    """
    preparer, inputs = Preparer(), []
    for value in values:
        clean = preparer.prepare(Delivery(value=value, position=Position("posts", 0, 0)))
        media, _ = attach_media(clean.images)
        inputs.append(score_input(msgspec.structs.replace(clean, media=media)))
    return inputs


def whole_run(
    stack: Stack, runner: str, companies: list[str], values: list[bytes]
) -> dict[str, Any]:
    """A run over all posts, which lie there before it starts."""
    servers = stack.broker.bootstrap_servers
    topics_anew(servers)
    with KafkaProducer(bootstrap_servers=servers, max_request_size=4_000_000) as producer:
        for number, value in enumerate(values):
            producer.send("posts", value, partition=number % 4)
        producer.flush()
    settings = write_settings(
        stack,
        sinks={"folder": str(stack.home / f"out-{runner}")},
        flink={"folder": str(stack.home / "job")},
        brands=companies,
    )
    topics = Topics(servers)
    with running(settings, runner, stack.home / f"{runner}.log"):
        samples = follow(topics, len(values))
    if runner == "flink":
        cancel(stack, "bench")
    records = topics.ends()
    topics.close()
    low, high = steady(samples, WARM_UP_POSTS)
    posts = high.readings - low.readings
    return {
        "runner": runner,
        "load": load(),
        "records": records,
        "rate": posts / (high.at - low.at),
        "milliseconds": {
            part: round(1000 * (seconds - low.cpu.get(part, 0.0)) / posts, 2)
            for part, seconds in high.cpu.items()
        },
    }


def follow(topics: Topics, expected: int) -> list[Sample]:
    """How many readings there are, until so many are there or no more come.

    Raises:
        RuntimeError: none came at all.
    """
    started = time.monotonic()
    samples = [Sample(started, 0, used())]
    grew = started + START_SECONDS
    while samples[-1].readings < expected and time.monotonic() < min(
        grew + STILL_SECONDS, started + LIMIT_SECONDS
    ):
        time.sleep(LOOK_SECONDS)
        now, count = time.monotonic(), topics.ends()["readings"]
        grew = now if count > samples[-1].readings else grew
        samples.append(Sample(now, count, used()))
    if not samples[-1].readings:
        raise RuntimeError("no reading came; see the log below --home")
    return samples


def used() -> dict[str, float]:
    """Seconds of processor that each part has used, this process left out."""
    found: dict[str, float] = defaultdict(float)
    for pid in descendants(os.getpid())[1:]:
        found[PARTS.get(kind_of(command(pid)), "runner")] += cpu_seconds(pid)
    return found


def in_words(results: dict[str, Any]) -> str:
    """The report for people."""
    model = results["model"]
    milliseconds = 1000 * model["cores"] / model["rate"]
    rows = [
        [
            run["runner"],
            f"{run['records']['readings']:,}",
            f"{run['rate']:.0f}",
            f"{run['rate'] / model['rate']:.2f}",
            *(f"{run['milliseconds'].get(p, 0.0):.2f}" for p in ("workers", "runner", "broker")),
            f"{run['records']['trends'] / run['records']['readings']:.1f}",
        ]
        for run in results["runs"]
    ]
    parts = [
        "# The pipeline over the model",
        describe_in_words(results["machine"]),
        f"{results['posts']:,} different tweets about twenty companies, a quarter of them with an "
        "image that no other has, dated as a live stream of the model's rate. The model alone "
        f"reads {model['rate']:.0f} a second with every core ({milliseconds:.2f} "
        f"ms of one core a post; the first {model['posts']:,}, in bundles of {MODEL_BUNDLE}). "
        "Rate: readings that the broker took, from the first to the last of them; "
        f"{WARM_UP_POSTS:,} others went before. Flink with 2 task managers; broker, runner and "
        "pipeline share the cores.",
        table(
            [
                "",
                "readings",
                "posts/s",
                "over the model alone",
                "workers, ms of a core a post",
                "runner, ms",
                "broker, ms",
                "trends a reading",
            ],
            rows,
        ),
    ]
    return "\n\n".join(parts) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Measure the model, then each runner, and write the results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="with streams/ and pairs/")
    parser.add_argument(
        "--runners", nargs="+", choices=("prism", "flink"), default=["prism", "flink"]
    )
    parser.add_argument("--posts", type=int, default=20_000, help="default: %(default)s")
    parser.add_argument("--home", type=Path, default=REPOSITORY / ".run" / "bench-overhead")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("results"))
    options = parser.parse_args(arguments)
    machine = describe_machine()
    companies, rows = company_posts(options.data, options.posts, WARM_UP_POSTS)
    inputs = model_inputs(as_live(rows[WARM_UP_POSTS:][:MODEL_POSTS], 1.0))
    posts = Posts(inputs[:WARM_POSTS], inputs[WARM_POSTS:])
    model = run_alternative("Moodwire, auto", posts, os.cpu_count() or 1, MODEL_BUNDLE)
    runs = []
    with own_stack(options.home.resolve(), with_flink="flink" in options.runners) as stack:
        for runner in options.runners:
            runs.append(whole_run(stack, runner, companies, as_live(rows, model["rate"])))
            print(runs[-1], flush=True)
    remove_data(options.home)
    results = {"machine": machine, "posts": options.posts, "model": model, "runs": runs}
    write_results(results, in_words(results), options.output, "overhead")
    return 0


if __name__ == "__main__":
    sys.exit(main())
