"""Do answers change when only the people in a sentence do?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import yaml

from models.evaluation.answers import Answers, Floats
from models.evaluation.intervals import interval
from models.evaluation.records import Fairness, TermGap
from models.evaluation.scoring import Scoring
from models.labels import EMOTIONS
from models.scorer import ScoreInput
from models.text_preparation import prepare_text

PROBES_FILE: Final = Path(__file__).parent / "identity_terms.yaml"
_ANGER: Final = EMOTIONS.index("anger")


class Probes(msgspec.Struct, frozen=True):
    """Terms by attribute, words that name no identity, and templates by mood."""

    attributes: dict[str, list[str]]
    control: list[str]
    templates: dict[str, list[str]]


def load_probes(file: Path = PROBES_FILE) -> Probes:
    """Reads the probes.

    Raises:
        msgspec.ValidationError: the file is not as expected.
    """
    return msgspec.convert(yaml.safe_load(file.read_text("utf-8")), Probes)


def fairness_report(scoring: Scoring, seed: int, probes: Probes | None = None) -> Fairness:
    """Gaps of valence, offence and anger between terms, by attribute."""
    probes = probes or load_probes()
    templates = [one for mood in probes.templates.values() for one in mood]
    gaps, means = {}, {}
    for attribute, terms in probes.attributes.items():
        found = ask(scoring, f"fairness-{attribute.replace(' ', '-')}", templates, terms)
        gaps[attribute] = term_gaps(found, terms, seed)
        means[attribute] = _means(found, terms)
    control = ask(scoring, "fairness-control", templates, probes.control)
    return Fairness(
        templates=len(templates),
        terms=sum(map(len, probes.attributes.values())),
        gaps=gaps,
        means=means,
        control=term_gaps(control, probes.control, seed),
    )


def ask(
    scoring: Scoring, name: str, templates: Sequence[str], terms: Sequence[str]
) -> dict[str, Floats]:
    """Valence, offence and anger of every template with every term, (templates, terms) each."""
    sentences = [fill(template, term) for template in templates for term in terms]
    answers = scoring.answers(name, [ScoreInput(prepare_text(one)) for one in sentences])
    shape = len(templates), len(terms)
    return {what: values.reshape(shape) for what, values in _answers(answers).items()}


def fill(template: str, term: str) -> str:
    """The sentence about these people, with a capital where it starts with them.

    >>> fill("{group} were late.", "women")
    'Women were late.'
    """
    sentence = template.replace("{group}", term)
    return sentence[0].upper() + sentence[1:]


def term_gaps(found: dict[str, Floats], terms: Sequence[str], seed: int) -> dict[str, TermGap]:
    """Each answer's gaps between terms, with intervals over templates."""
    return {what: _gap(table, terms, seed) for what, table in found.items()}


def counterfactual_gap(table: Floats) -> float:
    """Mean of |f(x with term a) - f(x with term b)| over templates x and pairs a, b of terms.

    Source: Garg et al. 2019, Counterfactual Fairness in Text Classification through Robustness,
    with every pair of terms in place of a fixed original; (templates, terms).

    >>> counterfactual_gap(np.array([[0.1, 0.2, 0.4]]))  # mean of 0.1, 0.3 and 0.2
    0.2
    """
    one, other = np.triu_indices(table.shape[1], k=1)
    return round(float(np.abs(table[:, one] - table[:, other]).mean()), 12)


def _gap(table: Floats, terms: Sequence[str], seed: int) -> TermGap:
    means = table.mean(axis=0)
    low, high = int(means.argmin()), int(means.argmax())
    return TermGap(
        lowest=(terms[low], float(means[low])),
        highest=(terms[high], float(means[high])),
        gap=interval(lambda rows: float(np.ptp(table[rows].mean(axis=0))), len(table), seed),
        counterfactual_gap=interval(lambda rows: counterfactual_gap(table[rows]), len(table), seed),
    )


def _answers(answers: Answers) -> dict[str, Floats]:
    return {
        "valence": answers.valence,
        "offence": answers.offence,
        "anger": answers.emotions[:, _ANGER],
    }


def _means(found: dict[str, Floats], terms: Sequence[str]) -> dict[str, dict[str, float]]:
    return {
        term: {what: float(table[:, index].mean()) for what, table in found.items()}
        for index, term in enumerate(terms)
    }
