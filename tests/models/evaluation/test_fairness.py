from pathlib import Path

import numpy as np
import pytest

from models.evaluation.fairness import (
    Probes,
    counterfactual_gap,
    fairness_report,
    load_probes,
    term_gaps,
)
from models.evaluation.scoring import Scoring
from tests.models.tiny_model import a_saved_checkpoint


def test_gap_and_its_terms_by_hand() -> None:
    table = np.array([[0.1, 0.5, 0.3], [0.3, 0.5, 0.5]])  # two templates, three terms

    found = term_gaps({"offence": table}, ["a", "b", "c"], seed=0)["offence"]

    assert (found.lowest[0], found.highest[0]) == ("a", "b")
    assert [found.lowest[1], found.highest[1]] == pytest.approx([0.2, 0.5])
    assert found.gap.value == pytest.approx(0.3)
    # First template 0.4, 0.2, 0.2; second 0.2, 0.2, 0
    assert counterfactual_gap(table) == pytest.approx(1.2 / 6)


def test_templates_name_people_once_and_terms_are_distinct() -> None:
    probes = load_probes()

    templates = [one for mood in probes.templates.values() for one in mood]
    assert all(template.count("{group}") == 1 for template in templates)
    terms = [term for group in probes.attributes.values() for term in group] + probes.control
    assert len(set(terms)) == len(terms)
    assert set(probes.attributes) == {
        *("gender", "religion", "ethnicity and nationality", "age"),
        *("sexual orientation", "disability"),
    }


def test_a_model_that_reacts_to_a_word_is_found_out(tmp_path: Path) -> None:
    scoring = Scoring(a_saved_checkpoint(tmp_path / "model"), tmp_path / "scores", lambda *_: None)
    probes = Probes(
        attributes={"known words": ["good", "bad"], "unknown words": ["aaa", "bbb"]},
        control=["ccc", "ddd"],
        templates={"neutral": ["the phone is {group}", "{group} is the phone"]},
    )

    found = fairness_report(scoring, 0, probes)

    assert found.gaps["known words"]["valence"].gap.value > 0
    assert found.gaps["unknown words"]["valence"].gap.value == 0
    assert found.control["offence"].counterfactual_gap.value == 0
    assert found.means["known words"].keys() == {"good", "bad"}
