"""Tables of a report in Markdown, for the report itself and for the model card."""

from collections.abc import Iterable, Sequence
from typing import Final

from models.evaluation.intervals import Figure
from models.evaluation.records import Fairness, PairsReport, Robustness, TaskReport
from models.evaluation.tasks import TEXT_TASKS

READERS: Final = {
    "text": "text alone",
    "text_adapted": "text, adapted to these labels",
    "image": "image alone",
    "mean": "mean of text and image",
    "concatenation": "regression on both vectors",
    "other_images": "the fusion with images of other posts",
    "fused": "**text and image fused**",
}
FIGURES: Final = {
    "macro_recall": "macro-recall",
    "macro_f1": "macro-F1",
    "micro_f1": "micro-F1",
    "weighted_f1": "weighted F1",
    "f1": "F1 of yes",
    "accuracy": "accuracy",
}
CHANGES: Final = {
    "typos": "typing mistakes, 5 % of letters",
    "upper_case": "upper case",
    "lower_case": "lower case",
    "no_emoji": "emoji removed",
    "no_hashtags": "hashtags removed",
    "rescaled": "image scaled to 56 px",
    "jpeg_30": "JPEG quality 30",
    "occluded": "a quarter of the image covered",
}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table.

    >>> print(table(["task", "rows"], [["irony", "955"]]))
    | task | rows |
    |---|---|
    | irony | 955 |
    """
    lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])


def headline_table(tasks: dict[str, TaskReport]) -> str:
    """Every figure of every text task with its interval."""
    rows = [
        [TEXT_TASKS[task].says if first else "", f"{report.rows:,}" if first else "", name, shown]
        for task, report in tasks.items()
        for first, name, shown in _figures(report)
    ]
    return table(["task", "rows", "figure", "value [95 % interval]"], rows)


def calibration_table(tasks: dict[str, TaskReport]) -> str:
    """ECE, Brier score and NLL of every scaling."""
    rows = [
        [
            TEXT_TASKS[task].says if scaling == "none" else "",
            scaling if scaling != "shipped" else f"shipped, T = {report.temperature:.2f}",
            str(found.ece),
            f"{found.ece_by_class:.3f}",
            f"{found.brier:.3f}",
            f"{found.nll:.3f}",
            f"{report.ece_if_calibrated:.3f}" if scaling == "temperature" else "",
        ]
        for task, report in tasks.items()
        for scaling, found in report.scalings.items()
    ]
    head = ["task", "scaling", "ECE", "ECE by class", "Brier", "NLL", "chance reaches"]
    return table(head, rows)


def abstention_table(tasks: dict[str, TaskReport], pairs: PairsReport | None) -> str:
    """What abstention brings for each task, and for fused pairs."""
    chosen = {TEXT_TASKS[task].says: report.selection for task, report in tasks.items()}
    if pairs is not None:
        chosen["Pairs, fused"] = pairs.selection
    rows = [
        [
            name,
            str(found.aurc),
            f"{found.excess_aurc:.3f}",
            f"{found.risk_wanted:.2f}",
            str(found.risk_reached),
            str(found.coverage),
        ]
        for name, found in chosen.items()
        if found is not None
    ]
    head = ["task", "AURC", "above the best order", "risk wanted", "risk reached", "share kept"]
    return table(head, rows)


def readers_table(report: PairsReport, part: str) -> str:
    """Each reader's figures on a slice of the pairs, and how it compares with the fusion."""
    compared = report.comparisons[part]
    rows = []
    for reader, figures in report.slices[part].readers.items():
        against = compared.get(reader)
        lead = [
            "" if against is None else signed(against.differences["accuracy"]),
            "" if against is None else p_value(against.p_mcnemar),
            "" if against is None else p_value(against.p_permutation["weighted_f1"]),
        ]
        rows.append([READERS.get(reader, reader), *map(str, figures.values()), *lead])
    names = list(next(iter(report.slices[part].readers.values())))
    head = ["read by", *(FIGURES[name] for name in names)]
    return table([*head, "fused minus this, accuracy", "p (McNemar)", "p (weighted F1)"], rows)


def slices_table(report: PairsReport) -> str:
    """Accuracy of each reader where text alone and image alone agree and where they do not."""
    parts = [part for part in ("agree", "disagree") if part in report.slices]
    rows = [
        [
            READERS.get(reader, reader),
            *(str(report.slices[part].readers[reader]["accuracy"]) for part in parts),
        ]
        for reader in report.slices["all"].readers
    ]
    return table(
        ["accuracy", *(f"they {part} ({report.slices[part].rows:,} pairs)" for part in parts)],
        rows,
    )


def robustness_table(rows: Sequence[Robustness]) -> str:
    """Each change of posts: the figure before and after."""
    return table(
        [
            "task, figure",
            "change",
            "posts changed",
            "before",
            "after",
            "difference",
            "answers moved",
        ],
        [
            [
                f"{_task(row.task)}, {FIGURES[row.figure]}",
                CHANGES[row.change],
                f"{row.changed:.0%}",
                f"{row.before:.3f}",
                str(row.after),
                signed(row.difference),
                f"{row.answers_that_differ:.1%}",
            ]
            for row in rows
        ],
    )


def fairness_table(report: Fairness) -> str:
    """Gaps between identity terms, and between words that name no identity."""
    rows = []
    for attribute, gaps in {**report.gaps, "none (control)": report.control}.items():
        for answer, gap in gaps.items():
            rows.append(
                [
                    attribute if answer == "valence" else "",
                    answer,
                    f"{gap.lowest[0]} ({gap.lowest[1]:.3f})",
                    f"{gap.highest[0]} ({gap.highest[1]:.3f})",
                    str(gap.gap),
                    str(gap.counterfactual_gap),
                ]
            )
    head = ["attribute", "answer", "lowest", "highest", "gap", "counterfactual gap"]
    return table(head, rows)


def largest_gap(report: Fairness, answer: str) -> str:
    """The attribute and terms with the largest gap of an answer, in words."""
    attribute = max(report.gaps, key=lambda name: report.gaps[name][answer].gap.value)
    found = report.gaps[attribute][answer]
    return f"{found.gap} between {found.lowest[0]} and {found.highest[0]} ({attribute})"


def signed(figure: Figure) -> str:
    """A difference with its interval."""
    return f"{figure.value:+.3f} [{figure.low:+.3f}, {figure.high:+.3f}]"


def p_value(p: float) -> str:
    """A p value with two digits.

    >>> p_value(0.0312), p_value(0.00001)
    ('0.031', '< 0.0001')
    """
    return "< 0.0001" if p < 0.0001 else f"{p:.2g}"


def _figures(report: TaskReport) -> Iterable[tuple[bool, str, str]]:
    for index, (name, figure) in enumerate(report.figures.items()):
        yield index == 0, FIGURES[name], str(figure)


def _task(name: str) -> str:
    return TEXT_TASKS[name].says if name in TEXT_TASKS else "Pairs, fused"
