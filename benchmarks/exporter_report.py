"""What exporter and page cost with many brands, as a table for people."""

from __future__ import annotations

from typing import Any

from benchmarks.machine import describe_in_words
from benchmarks.reports import table

FACTS = {
    "exporter.caught_up_seconds": "exporter: start to first scrape, s",
    "exporter.scrape_seconds": "exporter: a scrape, s",
    "exporter.samples": "exporter: samples",
    "exporter.bytes": "exporter: size of a scrape",
    "exporter.packed_bytes": "exporter: the same packed, as Prometheus asks for it",
    "exporter.megabytes": "exporter: memory, MB",
    "exporter.peak_megabytes": "exporter: highest memory, MB",
    "page.caught_up_seconds": "page: start to being current, s",
    "page.windows": "page: windows kept",
    "page.load_seconds": "page: first load of a viewer, s",
    "page.bytes": "page: size of a first load",
    "page.packed_bytes": "page: the same packed",
    "page.megabytes": "page: memory, MB",
    "page.peak_megabytes": "page: highest memory, MB",
    "viewers.updates_a_second": "viewers: updates a second, each",
    "viewers.bytes_an_update": "viewers: size of an update",
    "viewers.lag_seconds": "viewers: lag, s",
    "viewers.missing": "viewers: panes that one missed, of all ten",
    "viewers.resets": "viewers: loads of everything after the first",
    "viewers.cores": "viewers: cores that the page used",
    "viewers.megabytes": "viewers: memory of the page, MB",
}


def in_words(results: dict[str, Any]) -> str:
    """The report for people."""
    runs = results["runs"]
    columns = ["", *(f"{run['brands']:,} brands, {run['series']:,} series" for run in runs)]
    lines: list[list[str]] = []
    for name, words in FACTS.items():
        group, _, key = name.partition(".")
        lines.append([words, *(_shown(run[group][key], key) for run in runs)])
    parts = [
        "# Exporter and page with many brands",
        describe_in_words(results["machine"]),
        f"{results['windows']} windows of each series on the topic, of 1 + 5 slices for each "
        "brand. 20 scrapes; then ten viewers while 100 panes a second come in, ten times a second, "
        "the first of whom loses the connection for two seconds. Lag: from sending a pane to "
        "Kafka to having read it from the stream, in one process beside the servers.",
        table(columns, lines),
    ]
    return "\n\n".join(parts) + "\n"


def _shown(value: Any, key: str) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {number:g}" for name, number in value.items())
    if "bytes" in key and "megabytes" not in key:
        return f"{value / 1e6:.2f} MB" if value >= 1e5 else f"{value / 1e3:.1f} kB"
    return f"{value:,.0f}" if "megabytes" in key or isinstance(value, int) else f"{value:g}"
