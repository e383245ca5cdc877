"""The figures section of a model card, written from a report."""

import re
from pathlib import Path
from typing import Final

from models.evaluation.paired import Comparison
from models.evaluation.records import PairsReport, Report
from models.evaluation.tables import (
    abstention_table,
    calibration_table,
    fairness_table,
    headline_table,
    largest_gap,
    p_value,
    readers_table,
    robustness_table,
    slices_table,
)

_ALPHA: Final = 0.05
BEGIN: Final = "<!-- figures: written by `moodwire evaluate --card`, from report.json -->"
END: Final = "<!-- end of figures -->"


class CardError(ValueError):
    """A card cannot take figures; names the file and the remedy."""


def update_card(card: Path, report: Report) -> None:
    """Replaces what stands between the two marks of a card by the report's figures.

    Raises:
        CardError: the card is missing or has no marks.
    """
    before, after = check_card(card)
    text = f"{before}{BEGIN}\n\n{figures_section(report)}\n\n{END}{after}"
    card.write_text(text, encoding="utf-8")


def check_card(card: Path) -> tuple[str, str]:
    """What stands before and after the two marks of a card.

    Raises:
        CardError: the card is missing or has no marks.
    """
    if not card.is_file():
        raise CardError(f"--card {card}: no such file")
    marked = f"{re.escape(BEGIN)}.*{re.escape(END)}"
    parts = re.split(marked, card.read_text("utf-8"), flags=re.DOTALL)
    if len(parts) != 2:
        raise CardError(f"--card {card}: has no section between the lines\n{BEGIN}\n{END}")
    return parts[0], parts[1]


def figures_section(report: Report) -> str:
    """Figures, pairs, calibration, robustness and fairness of a report, in Markdown."""
    parts = [_right_answers(report), *_pairs(report), _calibration(report)]
    if report.robustness:
        parts.append(f"## Robustness\n\n{robustness_table(report.robustness)}")
    if report.fairness is not None:
        parts.append(_fairness(report))
    return "\n\n".join(part for part in parts if part)


def _right_answers(report: Report) -> str:
    if not report.tasks:
        return ""
    return (
        "## Figures\n\nOn the validation parts, through the scorer that serves. Brackets hold 95 % "
        f"bootstrap intervals over posts.\n\n{headline_table(report.tasks)}"
    )


def _pairs(report: Report) -> list[str]:
    parts = []
    if report.pairs is not None:
        parts.append(f"## Pairs of text and image\n\n{_shipped(report.pairs)}")
    if report.pooled is not None:
        parts.append(_pooled(report.pooled))
    return parts


def _shipped(pairs: PairsReport) -> str:
    facts = pairs.facts
    return (
        f"MVSA-Single, {pairs.rows:,} validation pairs, the checkpoint as it ships:\n\n"
        f"{readers_table(pairs, 'all')}\n\n"
        "The fair rival is the text adapted to these labels: a regression on the frozen text "
        "vector, fitted to the training pairs' texts. Mean weight of the text: "
        f"{facts['alpha_text']}. A post's own image matches its text better than another post's "
        f"in {facts['own_image_matches_better'].value:.0%} of the posts (mean mismatch "
        f"{facts['mismatch_own_image'].value:.2f} against "
        f"{facts['mismatch_other_image'].value:.2f})."
    )


def _pooled(pooled: PairsReport) -> str:
    against = pooled.comparisons["all"]["text"]
    verdict = _verdict(against, pooled.comparisons["all"].get("other_images"))
    return (
        f"Cross-validation over all {pooled.rows:,} training and validation pairs, "
        f"{pooled.folds} folds, heads fitted anew on each fold over frozen encoders:\n\n"
        f"{readers_table(pooled, 'all')}\n\n{verdict}: of the pairs that fusion and text alone "
        f"read differently, {against.wins} are right fused and {against.losses} by the text "
        f"(exact McNemar p = {p_value(against.p_mcnemar)}). "
        "Where text alone and image alone give the same answer, and where not:\n\n"
        f"{slices_table(pooled)}"
    )


def _verdict(text: Comparison, other_images: Comparison | None) -> str:
    """What the comparisons of the fusion with text and with its control say."""
    if not _is_better(text):
        return "These figures do not prove that the image helps"
    if other_images is None:
        return "The fusion beats text alone, whether by its image was not tested"
    if not _is_better(other_images):
        return "The fusion beats text alone, but not the same network with images of other posts"
    return "The image helps"


def _is_better(comparison: Comparison) -> bool:
    return comparison.wins > comparison.losses and comparison.p_mcnemar < _ALPHA


def _calibration(report: Report) -> str:
    if not report.tasks:
        return ""
    sentiment = report.tasks.get("sentiment")
    kept = (
        f" The checkpoint's own threshold keeps {sentiment.kept_share.value:.0%} of the sentiment "
        f"readings, of which {sentiment.kept_accuracy.value:.0%} are right."
        if sentiment and sentiment.kept_share and sentiment.kept_accuracy
        else ""
    )
    return (
        "## Calibration\n\n`temperature` and `vector` are fitted on one half of the rows and "
        "measured on the other, both ways; `shipped` is what readings say, whose temperature has "
        "seen these rows. ECE over 15 bins of equal mass; `chance reaches` is what perfect "
        "probabilities stay below in 19 of 20 samples of this size.\n\n"
        f"{calibration_table(report.tasks)}\n\nAbstention, thresholds chosen on one half and used "
        f"on the other.{kept}\n\n{abstention_table(report.tasks, report.pairs)}"
    )


def _fairness(report: Report) -> str:
    found = report.fairness
    assert found is not None
    named = "; ".join(
        f"{answer} {largest_gap(found, answer)}" for answer in ("valence", "offence", "anger")
    )
    return (
        f"## Fairness probes\n\n{found.terms} identity terms in {found.templates} sentences of "
        f"ours in which nothing else changes. Largest gaps of mean answers: {named}. The control "
        "swaps words that name no identity.\n\n"
        f"{fairness_table(found)}\n\nA small gap here is no proof of fairness: the sentences are "
        "few, simple and English, identities are named outright, and no dialect, no intersection "
        "of groups and no image is probed."
    )
