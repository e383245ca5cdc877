"""The samples of a soak as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.soak_report import after_warm_up, behind


def plot(samples: list[dict[str, Any]], path: Path) -> None:
    """Memory, lag, watermark and checkpoints over the minutes of the run."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    first = samples[0]["at"]
    minutes = [(sample["at"] - first) / 60 for sample in samples]
    warm = (after_warm_up(samples)[0]["at"] - first) / 60
    figure, axes = pyplot.subplots(5, 1, figsize=(9, 14), sharex=True)
    for name in sorted({name for sample in samples for name in sample["megabytes"]}):
        axes[0].plot(minutes, [s["megabytes"].get(name) for s in samples], label=name)
    axes[0].set_ylabel("memory, MB")
    axes[0].legend(fontsize=7, ncols=3)
    series = {
        "lag, records": [s.get("lag") for s in samples],
        "behind, s of event time": [behind(s) for s in samples],
        "checkpoint, ms": [s.get("checkpoint_milliseconds") for s in samples],
    }
    for axis, (label, values) in zip(axes[1:4], series.items(), strict=True):
        axis.plot(minutes, [float("nan") if v is None else v for v in values])
        axis.set_ylabel(label)
    for name in ("checkpoint_bytes", "checkpoints_on_disk_bytes"):
        axes[4].plot(minutes, [s.get(name, float("nan")) / 1e6 for s in samples], label=name)
    axes[4].set_ylabel("state, MB")
    axes[4].legend(fontsize=7)
    axes[4].set_xlabel("minutes")
    for axis in axes:
        axis.axvspan(0, warm, color="0.92")
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    pyplot.close(figure)
