"""The verdict on a soak: slopes, plots. Again from samples: `-m benchmarks.soak_report FILE`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from scipy.stats import theilslopes

from benchmarks.machine import describe_in_words
from benchmarks.reports import table, write_results

WARM_UP_SHARE = 0.25  # of the run: models load, caches fill, the JVM compiles
FLAT_PERCENT_PER_HOUR = 5.0
SPAN_SECONDS = 300.0  # medians of such spans are compared, not samples: neighbours are alike
LEAST_SPANS = 6


@dataclass(frozen=True)
class Slope:
    """A line by Theil and Sen: the median of the slopes of all pairs of medians of five minutes.

    `per_hour` with the ends of its 95 % interval, in the unit of the samples; `level` is their
    median, `early` and `late` those of the first and the last third. Samples ten seconds apart
    are no independent witnesses: committed offsets, looked at as often as they are committed, rise
    and fall for minutes by the beat of the two clocks.
    """

    name: str
    level: float
    early: float
    late: float
    per_hour: float
    low: float
    high: float
    samples: int

    @property
    def percent_per_hour(self) -> float:
        """The slope as a share of the level."""
        return 100 * self.per_hour / self.level if self.level else 0.0

    @property
    def is_flat(self) -> bool:
        """Whether it grows by less than 5 % an hour, or not beyond doubt at all."""
        return self.low <= 0 or self.percent_per_hour < FLAT_PERCENT_PER_HOUR


def slope(name: str, times: Sequence[float], values: Sequence[float]) -> Slope | None:
    """The slope of samples at `times` in seconds; None where there are too few.

    >>> found = slope("x", [0, 1800, 3600, 5400, 7200, 9000], [10, 11, 12, 13, 14, 15])
    >>> found.per_hour, found.is_flat
    (2.0, False)
    """
    if len(values) < LEAST_SPANS:
        return None
    spans = medians_of_spans(times, values)
    line = theilslopes([value for _, value in spans], [at for at, _ in spans])
    third = len(values) // 3
    return Slope(
        name=name,
        level=float(median(values)),
        early=float(median(values[:third])),
        late=float(median(values[-third:])),
        per_hour=round(float(line.slope) * 3600, 3),
        low=round(float(line.low_slope) * 3600, 3),
        high=round(float(line.high_slope) * 3600, 3),
        samples=len(values),
    )


def medians_of_spans(times: Sequence[float], values: Sequence[float]) -> list[tuple[float, float]]:
    """Median time and value of each five minutes, or of each sixth of a shorter run."""
    seconds = min(SPAN_SECONDS, (times[-1] - times[0]) / LEAST_SPANS) or 1.0
    spans: dict[int, list[tuple[float, float]]] = {}
    for at, value in zip(times, values, strict=True):
        spans.setdefault(int((at - times[0]) / seconds), []).append((at, value))
    return [
        (float(median(at for at, _ in span)), float(median(value for _, value in span)))
        for span in spans.values()
    ]


def read_samples(path: Path) -> list[dict[str, Any]]:
    """Every whole sample."""
    return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]


def after_warm_up(samples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The samples without the first quarter of the run."""
    first, last = samples[0]["at"], samples[-1]["at"]
    begin = first + (last - first) * WARM_UP_SHARE
    return [sample for sample in samples if sample["at"] >= begin]


def slopes(samples: list[dict[str, Any]]) -> list[Slope]:
    """Memory of each process in MB, lag in records, checkpoints in ms and MB."""
    steady = after_warm_up(samples)
    names = sorted({name for sample in steady for name in sample["megabytes"]})
    found = [_slope(f"{name}, MB", steady, _memory_of(name)) for name in names]
    heaps = sorted({name for sample in steady for name in sample.get("heap_megabytes", {})})
    found += [_slope(f"heap of {name}, MB", steady, _heap_of(name)) for name in heaps]
    found.append(_slope("lag, records", steady, lambda s: s.get("lag")))
    found.append(_slope("behind, s of event time", steady, behind))
    fresh = _one_per_checkpoint(steady)
    found.append(_slope("checkpoint, ms", fresh, lambda s: s.get("checkpoint_milliseconds")))
    for name in ("checkpoint_bytes", "checkpoints_on_disk_bytes"):
        words = name.replace("_", " ").replace("bytes", "size, MB")
        found.append(_slope(words, fresh, _megabytes_of(name)))
    return [one for one in found if one is not None]


def behind(sample: dict[str, Any]) -> float | None:
    """How far the watermark is behind the newest event that was sent."""
    if not sample.get("watermark") or not sample.get("newest_event"):
        return None
    return float(sample["newest_event"] - sample["watermark"])


def _memory_of(name: str) -> Callable[[dict[str, Any]], float | None]:
    return lambda sample: sample["megabytes"].get(name)


def _heap_of(name: str) -> Callable[[dict[str, Any]], float | None]:
    return lambda sample: sample.get("heap_megabytes", {}).get(name)


def _megabytes_of(name: str) -> Callable[[dict[str, Any]], float | None]:
    return lambda sample: sample[name] / 1e6 if name in sample else None


def _slope(
    name: str, samples: list[dict[str, Any]], pick: Callable[[dict[str, Any]], float | None]
) -> Slope | None:
    pairs = [(s["at"], value) for s in samples if (value := pick(s)) is not None]
    return slope(name, [at for at, _ in pairs], [value for _, value in pairs])


def _one_per_checkpoint(samples: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({s["checkpoint_at"]: s for s in samples if "checkpoint_at" in s}.values())


def summary_of(samples: list[dict[str, Any]], how: dict[str, Any]) -> dict[str, Any]:
    """Everything that the report says, as data."""
    first, last = samples[0], samples[-1]
    seconds = last["at"] - first["at"]
    grown = {name: last["topics"][name] - first["topics"][name] for name in last["topics"]}
    steady = after_warm_up(samples)
    span = steady[-1]["at"] - steady[0]["at"]
    cores = {
        name: round((used - steady[0]["cpu_seconds"][name]) / max(span, 1e-9), 2)
        for name, used in steady[-1]["cpu_seconds"].items()
        if name in steady[0]["cpu_seconds"]
    }
    watermarks = [s["watermark"] for s in samples if s.get("watermark")]
    return {
        "how": how,
        "minutes": round(seconds / 60, 1),
        "topics": grown,
        "event_days": round((watermarks[-1] - watermarks[0]) / 86_400, 1) if watermarks else None,
        "duplicates_and_rejects": last.get("counters"),
        "cores": cores,
        "highest_lag": max(s["lag"] for s in samples),
        "slopes": [
            {**asdict(s), "percent_per_hour": round(s.percent_per_hour, 2), "is_flat": s.is_flat}
            for s in slopes(samples)
        ],
    }


def write_soak_report(machine: dict[str, Any], how: dict[str, Any], folder: Path) -> None:
    """JSON, Markdown and plots from the samples that lie in `folder`."""
    samples = read_samples(folder / "soak.jsonl")
    results = {"machine": machine, **summary_of(samples, how)}
    from benchmarks.soak_plots import plot

    plot(samples, folder / "soak.png")
    write_results(results, in_words(results), folder, "soak")


def in_words(results: dict[str, Any]) -> str:
    """The report for people."""
    how, topics = results["how"], results["topics"]
    rows = [
        [
            s["name"],
            f"{s['level']:,.1f}",
            f"{s['early']:,.1f} → {s['late']:,.1f}",
            f"{s['per_hour']:+,.1f} ({s['low']:+,.1f} to {s['high']:+,.1f})",
            f"{s['percent_per_hour']:+.1f} %",
            "flat" if s["is_flat"] else "**grows**",
        ]
        for s in results["slopes"]
    ]
    columns = ["", "median", "first → last third", "per hour (95 %)", "of the median", "verdict"]
    found = f"{how['found_rate']:.0f} posts/s" if how.get("found_rate") else "not looked for"
    parts = [
        "# Soak",
        describe_in_words(results["machine"]),
        f"{results['minutes']} minutes at {how['rate']} posts/s (the machine's rate under the load "
        f"of that time: {found}); {results['event_days']} days of event time; written: "
        f"{topics['posts']:,} posts, {topics['readings']:,} readings, {topics['trends']:,} trend "
        f"panes, {topics['alerts']:,} alert states, {topics['dead-letters']:,} dead letters; "
        f"highest lag {results['highest_lag']:,} records (offsets are committed with checkpoints).",
        "Slopes by Theil and Sen of medians of five minutes, over what follows the first "
        f"{WARM_UP_SHARE:.0%} of the run; flat is less than {FLAT_PERCENT_PER_HOUR:g} % an hour, "
        "or a slope whose interval reaches 0.",
        table(columns, rows),
        "Cores used: " + ", ".join(f"{name} {n:.2f}" for name, n in results["cores"].items()),
        "![Samples](soak.png)",
    ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    from benchmarks.machine import describe_machine

    where = Path(sys.argv[1]).resolve().parent
    saved = where / "soak.json"
    known = json.loads(saved.read_text()) if saved.exists() else {}
    write_soak_report(known.get("machine") or describe_machine(), known.get("how", {}), where)
