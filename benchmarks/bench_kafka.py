"""Source throughput as ratios to a raw client: `python -m benchmarks.bench_kafka`.

Every alternative reads the same topic in a process of its own, in rounds (A B C, A B C, …), so
that whatever else the machine does meets all of them alike. `--growth` adds partitions and keys;
with `--only` and no names it is measured alone.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.growth import measure_keys, measure_partitions
from benchmarks.machine import describe_machine, load
from benchmarks.own_stack import create_topic, own_stack, remove_data
from benchmarks.records import one_kilobyte, write_all
from benchmarks.reports import write_growth_report, write_source_report
from benchmarks.runs_of_jobs import Alternative, DidNotRunError, measure
from deploy.processes import REPOSITORY
from deploy.stack import Stack

RAW, JOB = "benchmarks.raw_clients", "benchmarks.source_job"
FLINK_LOCAL = ("--engine", "flink-local", "--readers", "2", "--parallelism", "2")
FLINK_CLUSTER = ("--engine", "flink-cluster", "--readers", "2", "--parallelism", "2")
ALTERNATIVES = {
    "raw-kafka-python": Alternative("raw kafka-python", RAW, ("kafka-python",)),
    "raw-confluent": Alternative("raw confluent-kafka", RAW, ("confluent",)),
    "prism": Alternative("our source, Prism", JOB, ("--engine", "prism")),
    "prism-confluent": Alternative(
        "our source with client: confluent, Prism",
        JOB,
        ("--engine", "prism", "--client", "confluent"),
    ),
    "flink-1": Alternative("our source, Flink on one machine, 1 reader", JOB, FLINK_LOCAL[:2]),
    "flink-2": Alternative("our source, Flink on one machine, 2 readers", JOB, FLINK_LOCAL),
    "cluster-2": Alternative("our source, Flink cluster, 2 readers", JOB, FLINK_CLUSTER),
    "beam-prism": Alternative(
        "Beam's ReadFromKafka, Prism", JOB, ("--engine", "prism", "--beam-source")
    ),
}
MEASURE = "raw-kafka-python"


def compare(
    stack: Stack, chosen: list[str], topic: str, records: int, rounds: int
) -> dict[str, Any]:
    """Runs of each alternative, in rounds; what did not run says why."""
    runs: dict[str, list[dict[str, Any]]] = {key: [] for key in chosen}
    failures: dict[str, str] = {}
    for number in range(rounds):
        for key in chosen:
            if key in failures:
                continue
            try:
                found = measure(stack, ALTERNATIVES[key], topic, records)
            except DidNotRunError as error:
                failures[key] = str(error)
                print(f"round {number + 1}  {key:<18} did not run: {error}", flush=True)
                continue
            runs[key].append({**found.as_dict(), "load": load()})
            print(f"round {number + 1}  {key:<18} {found.rate:>9,.0f}/s  {found}", flush=True)
    return {
        key: summary(ALTERNATIVES[key].name, runs[key], runs[MEASURE], failures.get(key))
        for key in chosen
    }


def summary(
    name: str, runs: list[dict[str, Any]], measures: list[dict[str, Any]], failure: str | None
) -> dict[str, Any]:
    """Medians, spread and the ratio to the raw client, taken round by round.

    >>> summary("x", [{"rate": 9.0, "cpu_micros": 2.0}], [{"rate": 10.0}], None)["ratio"]
    0.9
    """
    if not runs:
        return {"name": name, "did_not_run": failure or "not asked for"}
    rates = [run["rate"] for run in runs]
    ratios = [run["rate"] / raw["rate"] for run, raw in zip(runs, measures, strict=False)]
    return {
        "name": name,
        "rate": round(median(rates)),
        "rate_low": round(min(rates)),
        "rate_high": round(max(rates)),
        "ratio": round(median(ratios), 3),
        "ratio_low": round(min(ratios), 3),
        "ratio_high": round(max(ratios), 3),
        "cpu_micros": round(median(run["cpu_micros"] for run in runs), 1),
        "failure": failure,
        "runs": runs,
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--only", nargs="*", choices=ALTERNATIVES, default=list(ALTERNATIVES))
    parser.add_argument("--growth", nargs="*", choices=("partitions", "keys"), default=[])
    parser.add_argument("--growth-keys", nargs="+", type=int, default=[10_000, 1_000_000])
    parser.add_argument("--home", type=Path, default=REPOSITORY / ".run" / "bench-kafka")
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("results"))
    options = parser.parse_args(arguments)
    chosen = [MEASURE, *(key for key in options.only if key != MEASURE)] if options.only else []
    how: dict[str, Any] = {"machine": describe_machine(), "records": options.records}
    growth: dict[str, Any] = {}
    if "beam-prism" in chosen:
        from benchmarks.beam_source import resolve_beam_jars

        resolve_beam_jars()  # before the network goes
    needs_cluster = "cluster-2" in chosen or "keys" in options.growth
    with own_stack(options.home.resolve(), with_flink=needs_cluster) as stack:
        if chosen:
            create_topic(stack, "bench", options.partitions)
            servers = stack.broker.bootstrap_servers
            write_all(servers, "bench", one_kilobyte(options.records), options.partitions)
            source = compare(stack, chosen, "bench", options.records, options.rounds)
            write_source_report({**how, "source": source}, options.results)
        if "partitions" in options.growth:
            growth["partitions"] = measure_partitions(stack, options.records, options.rounds)
        if "keys" in options.growth:
            growth["keys"] = measure_keys(stack, options.growth_keys)
    remove_data(options.home)
    if growth:
        write_growth_report({**how, **growth}, options.results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
