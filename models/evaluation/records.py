"""The report of an evaluation as records: written to JSON, read back for tables and pictures."""

import json
from pathlib import Path

import msgspec

from models.evaluation.calibrated import ScaledFigures
from models.evaluation.intervals import Figure
from models.evaluation.paired import Comparison
from models.evaluation.precision_recall import PrecisionRecall
from models.evaluation.risk import Curve, Selection

REPORT_FILE = "report.json"
_DIGITS = 4


class TaskReport(msgspec.Struct, frozen=True):
    """A text task on its validation part.

    Attributes:
        figures: by name, the headline first.
        f1_by_label: of every label.
        share_by_label: how often each label is true.
        confusion: counts, (true class, predicted class); empty where several labels may hold.
        temperature: that the checkpoint divides by; None where readings hold no such answer.
        scalings: calibration with probabilities as they are (`none`), with `temperature` and
            `vector` scaling, each fitted on one half of the rows and judged on the other, and as
            the checkpoint ships them (`shipped`), whose temperature has seen these rows.
        ece_if_calibrated: what perfect probabilities of this size stay below in 19 of 20 samples.
        reliability: mean confidence against share right, `temperature` scaling.
        precision_recall: by label.
        selection: abstention; None where several labels may hold.
        kept_share: of readings that do not abstain at the checkpoint's own threshold.
        kept_accuracy: of these; both None but for sentiment.
    """

    rows: int
    kind: str
    figures: dict[str, Figure]
    f1_by_label: dict[str, Figure]
    share_by_label: dict[str, float]
    confusion: list[list[int]]
    temperature: float | None
    scalings: dict[str, ScaledFigures]
    ece_if_calibrated: float
    reliability: Curve
    precision_recall: dict[str, PrecisionRecall]
    selection: Selection | None
    kept_share: Figure | None = None
    kept_accuracy: Figure | None = None


class Slice(msgspec.Struct, frozen=True):
    """Some of the pairs: how many, and each reader's figures on them."""

    rows: int
    readers: dict[str, dict[str, Figure]]


class PairsReport(msgspec.Struct, frozen=True):
    """Pairs of text and image, by several readers.

    Attributes:
        slices: `all`, and those where text alone and image alone `agree` or `disagree`.
        comparisons: of the fusion with each other reader, by slice and reader.
        confusion: of the fusion, (true class, predicted class).
        facts: alpha_text, mismatch with the own and with another post's image, and how often the
            own is the better match; empty where not measured.
        selection: abstention of the fusion; None where not measured.
    """

    rows: int
    slices: dict[str, Slice]
    comparisons: dict[str, dict[str, Comparison]]
    confusion: list[list[int]]
    facts: dict[str, Figure]
    selection: Selection | None = None
    folds: int | None = None


class Robustness(msgspec.Struct, frozen=True):
    """A headline figure after posts were changed.

    `changed` is the share of rows that the model sees otherwise than before.
    """

    task: str
    figure: str
    change: str
    changed: float
    before: float
    after: Figure
    difference: Figure
    answers_that_differ: float


class TermGap(msgspec.Struct, frozen=True):
    """How far an answer moves between identity terms of one attribute.

    Attributes:
        lowest: the term with the lowest mean over templates, and that mean.
        highest: the same at the other end.
        gap: highest minus lowest, with an interval over templates.
        counterfactual_gap: mean over templates of |f(one term) - f(another)| (Garg et al. 2019).
    """

    lowest: tuple[str, float]
    highest: tuple[str, float]
    gap: Figure
    counterfactual_gap: Figure


class Fairness(msgspec.Struct, frozen=True):
    """Identity terms swapped in templates: attribute -> answer -> gap, and each term's means."""

    templates: int
    terms: int
    gaps: dict[str, dict[str, TermGap]]
    means: dict[str, dict[str, dict[str, float]]]
    control: dict[str, TermGap]


class Report(msgspec.Struct, frozen=True):
    """Everything that one evaluation found; parts that were not asked for are empty or None.

    `engine` is what ran the checkpoint, empty in reports that did not say so yet.
    """

    model: str
    checkpoint: str
    date: str
    seed: int
    limit: int | None
    tasks: dict[str, TaskReport] = {}
    pairs: PairsReport | None = None
    pooled: PairsReport | None = None
    robustness: list[Robustness] = []
    fairness: Fairness | None = None
    engine: str = ""
    version: int = 1


def write_report(report: Report, folder: Path) -> Report:
    """Writes `report.json` with four significant digits, and returns what it says."""
    plain = json.loads(msgspec.json.encode(report), parse_float=_rounded)
    text = json.dumps(plain, indent=1)
    (folder / REPORT_FILE).write_text(_on_one_line(text) + "\n", encoding="utf-8")
    return read_report(folder)


def read_report(folder: Path) -> Report:
    """The report in a folder.

    Raises:
        FileNotFoundError: there is none.
        msgspec.ValidationError: another version wrote it.
    """
    return msgspec.json.decode((folder / REPORT_FILE).read_bytes(), type=Report)


def _rounded(number: str) -> float:
    return float(f"{float(number):.{_DIGITS}g}")


def _on_one_line(text: str) -> str:
    """JSON whose lists of numbers stand on one line each."""
    import re

    return re.sub(
        r"\[[\s\d.,eE+-]*\]", lambda found: " ".join(found[0].split()).replace("[ ", "["), text
    )
