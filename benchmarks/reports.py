"""Results as JSON for programs and Markdown for people, side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.machine import describe_in_words


def write_results(results: dict[str, Any], markdown: str, folder: Path, name: str) -> None:
    """Write `name`.json and `name`.md."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(results, indent=1) + "\n")
    (folder / f"{name}.md").write_text(markdown)
    print(f"\n{markdown}\nwritten to {folder / name}.json and .md")


def table(columns: list[str], rows: list[list[str]]) -> str:
    """A Markdown table.

    >>> print(table(["a"], [["1"]]))
    | a |
    |---|
    | 1 |
    """
    lines = [columns, *rows]
    shown = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([shown[0], "|" + "---|" * len(columns), *shown[1:]])


def memory(peaks: dict[str, float]) -> str:
    """Peak memory by kind of process, in MB."""
    return " · ".join(f"{kind} {peak:.0f}" for kind, peak in sorted(peaks.items())) or "–"


def write_source_report(results: dict[str, Any], folder: Path) -> None:
    """The source beside raw clients."""
    parts = [
        "# Kafka source: throughput",
        describe_in_words(results["machine"]),
        f"{results['records']:,} records of 1,024 bytes. Rate: from the first record to the last, "
        "median of the rounds and (lowest to highest). Ratio: to raw kafka-python in the same "
        "round. CPU: processor time per record of the Python processes that read.",
        _comparison(results["source"]),
    ]
    write_results(results, "\n\n".join(parts) + "\n", folder, "kafka")


def write_growth_report(results: dict[str, Any], folder: Path) -> None:
    """How the source and its dedupe state grow."""
    parts = ["# Kafka source: growth", describe_in_words(results["machine"])]
    if "partitions" in results:
        parts += [
            "## Partitions",
            f"{results['records']:,} records of 1,024 bytes.",
            _partitions(results["partitions"]),
        ]
    if "keys" in results:
        parts += [
            "## Keys of dedupe state",
            "Filling: every record is a new identity. Full: every record was seen before.",
            _keys(results["keys"]),
        ]
    write_results(results, "\n\n".join(parts) + "\n", folder, "kafka-growth")


def _comparison(source: dict[str, Any]) -> str:
    columns = ["", "records/s", "ratio", "CPU µs", "start s", "peak MB"]
    return table(columns, [_compared(one) for one in source.values()])


def _compared(one: dict[str, Any]) -> list[str]:
    if "did_not_run" in one:
        return [one["name"], f"did not run here: {one['did_not_run']}", "", "", "", ""]
    runs = one["runs"]
    return [
        one["name"],
        f"{one['rate']:,} ({one['rate_low']:,} to {one['rate_high']:,})",
        f"{one['ratio']:.2f} ({one['ratio_low']:.2f} to {one['ratio_high']:.2f})",
        f"{one['cpu_micros']:.1f}",
        f"{sorted(run['start_seconds'] for run in runs)[len(runs) // 2]:.1f}",
        memory(runs[-1]["peak_megabytes"]),
    ]


def _partitions(rows: list[dict[str, Any]]) -> str:
    columns = ["engine", "partitions", "records/s", "CPU µs", "peak MB"]
    return table(
        columns,
        [
            [
                row["engine"],
                str(row["partitions"]),
                f"{row['rate']:,} ({row['rate_low']:,} to {row['rate_high']:,})",
                f"{row['cpu_micros']:.1f}",
                memory(row["peak_megabytes"]),
            ]
            for row in rows
        ],
    )


def _keys(rows: list[dict[str, Any]]) -> str:
    columns = ["engine", "keys", "filling /s", "full /s", "CPU µs", "checkpoint", "peak MB"]
    return table(columns, [_keyed(row) for row in rows])


def _keyed(row: dict[str, Any]) -> list[str]:
    head = [row["engine"], f"{row['keys']:,}"]
    if "did_not_run" in row:
        return [*head, f"did not run here: {row['did_not_run']}", "", "", "", ""]
    checkpoint = "none kept"
    if "checkpoint_megabytes" in row:
        checkpoint = f"{row['checkpoint_megabytes']} MB, {row['checkpoint_milliseconds']} ms"
    return [
        *head,
        f"{row['rate_filling']:,}",
        f"{row['rate_full']:,}" if "rate_full" in row else "–",
        f"{row['cpu_micros']:.1f}",
        checkpoint,
        memory(row["peak_megabytes"]),
    ]
