"""How the source grows with partitions, and the dedupe stage with the keys it remembers."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from itertools import chain
from statistics import median
from typing import Any

from benchmarks.own_stack import create_topic
from benchmarks.records import one_kilobyte, small, write_all
from benchmarks.runs_of_jobs import Alternative, DidNotRunError, measure
from deploy.stack import Stack
from pipelines.flink.rest import FlinkRest

JOB = "benchmarks.source_job"
PARTITIONS = (1, 4, 16)
AFTERWARDS = 50_000  # records that meet a full state
KEYS_LIMIT_SECONDS = 3_600.0
ON_PRISM = Alternative("Prism", JOB, ("--engine", "prism"))
ON_FLINK = Alternative(
    "Flink on one machine",
    JOB,
    ("--engine", "flink-local", "--readers", "2", "--parallelism", "2"),
)
CLUSTER = ("--engine", "flink-cluster", "--readers", "2", "--parallelism", "2")
DEDUPE_ON_FLINK = Alternative("Flink cluster", JOB, (*CLUSTER, "--dedupe"))
DEDUPE_ON_PRISM = Alternative("Prism", JOB, ("--engine", "prism", "--dedupe"))


def measure_partitions(stack: Stack, records: int, rounds: int) -> list[dict[str, Any]]:
    """Rate and peak memory of the same records in 1, 4 and 16 partitions, in rounds."""
    for count in PARTITIONS:
        create_topic(stack, f"spread-{count}", count)
        values = one_kilobyte(records)
        write_all(stack.broker.bootstrap_servers, f"spread-{count}", values, count)
    engines = (ON_PRISM, ON_FLINK)
    runs: dict[tuple[str, int], list[Any]] = {}
    for _ in range(rounds):
        for engine in engines:
            for count in PARTITIONS:
                found = measure(stack, engine, f"spread-{count}", records)
                runs.setdefault((engine.name, count), []).append(found)
                print(f"{count:>2} partitions  {engine.name:<22} {found.rate:>9,.0f}/s", flush=True)
    return [
        {
            "engine": engine,
            "partitions": count,
            "rate": round(median(run.rate for run in found)),
            "rate_low": round(min(run.rate for run in found)),
            "rate_high": round(max(run.rate for run in found)),
            "cpu_micros": round(median(run.cpu_micros for run in found), 1),
            "peak_megabytes": highest([run.peak_megabytes for run in found]),
        }
        for (engine, count), found in runs.items()
    ]


def highest(peaks: list[dict[str, float]]) -> dict[str, float]:
    """The highest of each kind of process.

    >>> highest([{"prism": 40.0}, {"prism": 42.0}])
    {'prism': 42.0}
    """
    return {kind: max(p.get(kind, 0.0) for p in peaks) for kind in sorted({*chain(*peaks)})}


def measure_keys(stack: Stack, keys: list[int]) -> list[dict[str, Any]]:
    """State of so many identities: rate while it fills and once it is full, memory, checkpoint."""
    found = []
    for count in keys:
        topic = f"keys-{count}"
        create_topic(stack, topic, 4)
        write_all(stack.broker.bootstrap_servers, topic, small(_numbers(count)), 4)
        for engine in (DEDUPE_ON_FLINK, DEDUPE_ON_PRISM):
            row = _measure_keys(stack, engine, topic, count)
            print(f"{count:,} keys  {row}", flush=True)
            found.append(row)
    return found


def _numbers(keys: int) -> Iterator[int]:
    """Every identity once, then some of them again."""
    chance = random.Random(keys)
    return chain(range(keys), (chance.randrange(keys) for _ in range(AFTERWARDS)))


def _measure_keys(stack: Stack, engine: Alternative, topic: str, keys: int) -> dict[str, Any]:
    seen: dict[str, Any] = {"engine": engine.name, "keys": keys}

    def look(notes: list[list[float]], job_name: str) -> None:
        seen.update(rates_of(notes, keys))
        if engine.needs_cluster:
            seen.update(_newest_checkpoint(stack, job_name))

    try:
        total = keys + AFTERWARDS
        run = measure(stack, engine, topic, total, limit_seconds=KEYS_LIMIT_SECONDS, finish=look)
    except DidNotRunError as error:
        return {**seen, "did_not_run": str(error)}
    return {**seen, "cpu_micros": run.cpu_micros, "peak_megabytes": run.peak_megabytes}


def rates_of(notes: list[list[float]], keys: int) -> dict[str, float]:
    """Rate up to the record that filled the state, and after it.

    >>> rates_of([[0.0, 1.0, 10, 0, 1], [1.0, 2.0, 20, 0, 1]], 10)
    {'rate_filling': 10, 'rate_full': 20}
    """
    seen, filled_at = 0, notes[0][0]
    for note in notes:
        seen += int(note[2])
        if seen >= keys:
            filled_at, filled = note[1], seen
            break
    total, last = sum(int(note[2]) for note in notes), notes[-1][1]
    rates: dict[str, float] = {"rate_filling": round(filled / max(filled_at - notes[0][0], 1e-9))}
    if total > filled and last > filled_at:
        rates["rate_full"] = round((total - filled) / (last - filled_at))
    return rates


def _newest_checkpoint(stack: Stack, job_name: str) -> dict[str, Any]:
    """Size and time of the newest checkpoint, once one holds all."""
    rest = FlinkRest(stack.flink.rest)
    job = rest.find(job_name)
    if job is None:
        return {}
    since, deadline = time.time(), time.monotonic() + 120
    while time.monotonic() < deadline:
        newest = rest.newest_checkpoint(job.job_id)
        if newest and newest.completed_at > since + newest.milliseconds / 1000:
            return {
                "checkpoint_megabytes": round(_full_size(stack, job.job_id) / 1e6, 2),
                "checkpoint_milliseconds": newest.milliseconds,
            }
        time.sleep(0.5)
    return {}


def _full_size(stack: Stack, job_id: str) -> int:
    """Bytes on disk of all that the newest checkpoint needs, not of what it added alone."""
    folder = stack.flink.home / "checkpoints" / job_id
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
