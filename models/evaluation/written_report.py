"""The report as a page of Markdown, with its pictures."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from models.evaluation.card import figures_section
from models.evaluation.plots import draw
from models.evaluation.records import PairsReport, Report, TaskReport, write_report
from models.evaluation.tables import readers_table, slices_table, table
from models.evaluation.tasks import TEXT_TASKS

MARKDOWN_FILE: Final = "report.md"
_PICTURES: Final = {
    "confusion.png": "Confusion matrices: rows are true, columns as read, with shares of the row",
    "reliability.png": "Reliability: mean confidence of a bin against the share right of it",
    "precision-recall.png": "Precision against recall; dotted: what guessing at random would give",
    "risk-coverage.png": "Share wrong of the surest answers against how many are kept",
    "disagreement.png": "Accuracy where text alone and image alone agree and where they do not",
}


def write_all(report: Report, folder: Path) -> Report:
    """Writes `report.json`, the pictures and `report.md`; returns what the JSON says."""
    said = write_report(report, folder)
    pictures = draw(said, folder)
    (folder / MARKDOWN_FILE).write_text(to_markdown(said, pictures), encoding="utf-8")
    return said


def to_markdown(report: Report, pictures: Sequence[Path] = ()) -> str:
    """The whole report as Markdown."""
    limited = f", at most {report.limit:,} rows of each part" if report.limit else ""
    engine = f", read by {report.engine}" if report.engine else ""
    parts = [
        f"# Evaluation of {report.model}",
        f"{report.date}, seed {report.seed}{limited}{engine}. Checkpoint files hash to "
        f"`{report.checkpoint}`. How to read it: docs/evaluation.md.",
        figures_section(report),
        *_by_label(report.tasks),
        *_slices("Pairs as shipped", report.pairs),
        *_slices("Pairs, cross-validated", report.pooled),
        *(f"![{_PICTURES[file.name]}]({file.name})" for file in pictures),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _by_label(tasks: dict[str, TaskReport]) -> Iterator[str]:
    if not tasks:
        return
    rows = [
        [
            TEXT_TASKS[task].says if index == 0 else "",
            label,
            f"{report.share_by_label[label]:.1%}",
            str(figure),
            _average_precision(report, label),
        ]
        for task, report in tasks.items()
        for index, (label, figure) in enumerate(report.f1_by_label.items())
    ]
    yield "## Every label"
    yield table(["task", "label", "share", "F1", "average precision"], rows)


def _average_precision(report: TaskReport, label: str) -> str:
    found = report.precision_recall.get(label)
    return f"{found.average_precision:.3f}" if found else "–"


def _slices(title: str, report: PairsReport | None) -> Iterator[str]:
    if report is None:
        return
    yield f"## {title}: where text and image agree"
    yield slices_table(report)
    for part in report.slices:
        if part != "all":
            yield f"Where they {part}:"
            yield readers_table(report, part)
