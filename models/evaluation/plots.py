"""Pictures of a report, drawn from what its JSON holds and nothing else."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from models.evaluation.calibrated import Kind
from models.evaluation.records import PairsReport, Report, TaskReport
from models.evaluation.tasks import TEXT_TASKS
from models.labels import SENTIMENTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DPI: Final = 80
_COLOURS: Final = ("#1f5fa8", "#c2571a", "#3b8a5c", "#8a5ca8")
_SHOWN_LABELS: Final = 4  # of 28: the most frequent, so that curves can be told apart
Panel = tuple[str, Callable[["Axes"], None]]


def draw(report: Report, folder: Path) -> list[Path]:
    """Writes a PNG for each kind of picture that the report has figures for.

    The text of the pictures holds no date, so the same report gives the same files.
    """
    pictures = {
        "confusion.png": list(_confusions(report)),
        "reliability.png": list(_reliabilities(report)),
        "precision-recall.png": list(_precision_recalls(report)),
        "risk-coverage.png": list(_risks(report)),
        "disagreement.png": list(_disagreements(report)),
    }
    return [_write(panels, folder / name) for name, panels in pictures.items() if panels]


def _write(panels: list[Panel], file: Path) -> Path:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(3.6 * columns, 3.4 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    for place, (title, fill) in enumerate(panels, 1):
        axes = figure.add_subplot(rows, columns, place)
        axes.set_title(title, fontsize=10)
        axes.tick_params(labelsize=8)
        fill(axes)
    figure.savefig(file, dpi=_DPI, metadata={"Software": None})
    return file


def _confusions(report: Report) -> Iterator[Panel]:
    for task, found in report.tasks.items():
        if found.confusion:
            labels = TEXT_TASKS[task].labels
            yield TEXT_TASKS[task].says, _matrix(found.confusion, labels)
    if report.pairs is not None:
        yield "Pairs, fused", _matrix(report.pairs.confusion, SENTIMENTS)


def _matrix(counts: list[list[int]], labels: tuple[str, ...]) -> Callable[["Axes"], None]:
    """Counts, coloured by their share of the true class."""
    shares = np.array(counts) / np.maximum(np.sum(counts, axis=1, keepdims=True), 1)

    def fill(axes: "Axes") -> None:
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (row, column), share in np.ndenumerate(shares):
            colour = "white" if share > 0.6 else "black"
            said = f"{counts[row][column]:,}\n{share:.0%}"
            axes.text(column, row, said, ha="center", va="center", color=colour, fontsize=8)
        axes.set_xticks(range(len(labels)), labels, rotation=20)
        axes.set_yticks(range(len(labels)), labels)
        axes.set_xlabel("read as", fontsize=8)
        axes.set_ylabel("true", fontsize=8)

    return fill


def _reliabilities(report: Report) -> Iterator[Panel]:
    for task, found in report.tasks.items():
        ece = found.scalings["temperature"].ece.value
        yield f"{TEXT_TASKS[task].says}, ECE {ece:.3f}", _reliability(found)


def _reliability(found: TaskReport) -> Callable[["Axes"], None]:
    def fill(axes: "Axes") -> None:
        low = min(*found.reliability.x, *found.reliability.y)
        axes.plot([low, 1], [low, 1], color="#888888", linestyle=":", linewidth=1)
        axes.plot(found.reliability.x, found.reliability.y, marker="o", markersize=3)
        if found.kind == Kind.SEVERAL:  # nearly all labels do not hold
            axes.set_xscale("symlog", linthresh=0.01)
            axes.set_yscale("symlog", linthresh=0.01)
        axes.set_xlabel("mean confidence of a bin", fontsize=8)
        axes.set_ylabel("share right", fontsize=8)

    return fill


def _precision_recalls(report: Report) -> Iterator[Panel]:
    for task, found in report.tasks.items():
        yield TEXT_TASKS[task].says, _precision_recall(found)


def _precision_recall(found: TaskReport) -> Callable[["Axes"], None]:
    shown = sorted(found.precision_recall.items(), key=lambda item: -item[1].share)
    if len(shown) > _SHOWN_LABELS:
        shown = [item for item in shown if item[0] != "neutral"]

    def fill(axes: "Axes") -> None:
        for (label, curve), colour in zip(shown[:_SHOWN_LABELS], _COLOURS, strict=False):
            name = f"{label}, AP {curve.average_precision:.2f}"
            axes.plot(curve.curve.x, curve.curve.y, label=name, color=colour, linewidth=1.2)
            axes.axhline(curve.share, color=colour, linestyle=":", linewidth=0.8)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("recall", fontsize=8)
        axes.set_ylabel("precision", fontsize=8)
        axes.legend(fontsize=7, loc="lower left")

    return fill


def _risks(report: Report) -> Iterator[Panel]:
    chosen: dict[str, Any] = {
        TEXT_TASKS[task].says: found.selection for task, found in report.tasks.items()
    }
    if report.pairs is not None:
        chosen["Pairs, fused"] = report.pairs.selection
    for name, found in chosen.items():
        if found is not None:
            yield f"{name}, AURC {found.aurc.value:.3f}", _risk(found.curve, found.risk_wanted)


def _risk(curve: Any, wanted: float) -> Callable[["Axes"], None]:
    def fill(axes: "Axes") -> None:
        axes.plot(curve.x, curve.y, color=_COLOURS[0], linewidth=1.4)
        axes.axhline(wanted, color=_COLOURS[1], linestyle=":", linewidth=1)
        axes.axhline(curve.y[-1], color="#888888", linestyle=":", linewidth=1)
        axes.set_xlim(0, 1)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("share of answers kept", fontsize=8)
        axes.set_ylabel("share wrong of these", fontsize=8)

    return fill


def _disagreements(report: Report) -> Iterator[Panel]:
    for name, found in (("as shipped", report.pairs), ("cross-validated", report.pooled)):
        if found is not None:
            yield f"Pairs, {name}", _slices(found)


def _slices(found: PairsReport) -> Callable[["Axes"], None]:
    """Accuracy with intervals where text and image agree and where they do not."""
    readers = list(found.slices["all"].readers)

    def fill(axes: "Axes") -> None:
        for shift, (part, colour) in enumerate(zip(found.slices, _COLOURS, strict=False)):
            figures = [found.slices[part].readers[reader]["accuracy"] for reader in readers]
            values = np.array([one.value for one in figures])
            reach = [
                values - np.array([one.low for one in figures]),
                np.array([one.high for one in figures]) - values,
            ]
            place = np.arange(len(readers)) + (shift - 1) * 0.25
            label = f"{part} ({found.slices[part].rows:,})"
            axes.bar(place, values, 0.23, yerr=reach, label=label, color=colour, capsize=2)
        names = [one.replace("_", " ") for one in readers]
        axes.set_xticks(range(len(readers)), names, rotation=25, ha="right")
        axes.set_ylabel("accuracy", fontsize=8)
        axes.set_ylim(0, 1.15)
        axes.legend(fontsize=7, ncols=3, loc="upper center")

    return fill
