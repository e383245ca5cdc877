from pathlib import Path

import numpy as np
import pytest
import torch

from models.evaluation.heads import fit_logistic, logistic_head, mean_of
from models.evaluation.pairs import report_readers
from models.evaluation.pooled import Rows, pooled_predictions, stratified_folds


def some_pairs(rows: int = 600) -> tuple[torch.Tensor, torch.Tensor, Rows]:
    """Two weak views of three classes, each with noise of its own."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, rows)
    views = [np.eye(3)[truth] + rng.normal(size=(rows, 3)) for _ in range(2)]
    return torch.tensor(views[0]).float(), torch.tensor(views[1]).float(), truth


def test_folds_are_even_in_size_and_class() -> None:
    truth = np.repeat([0, 1, 2], [60, 30, 10])

    folds = stratified_folds(truth, [str(row) for row in range(100)], 5, seed=0)

    for fold in range(5):
        assert np.bincount(truth[folds == fold]).tolist() == [12, 6, 2]


def test_copies_of_a_post_share_a_fold() -> None:
    texts = [f"text {row % 30}" for row in range(90)]

    folds = stratified_folds(np.arange(90) % 3, texts, 5, seed=0)

    assert all(len({folds[row] for row in range(first, 90, 30)}) == 1 for first in range(30))


def test_too_few_rows_for_the_folds_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot make 5 folds; give more rows"):
        stratified_folds(np.array([0, 1, 0]), ["a", "b", "a"], 5, seed=0)


def test_no_head_reads_a_row_that_it_was_fitted_on() -> None:
    folds = stratified_folds(np.arange(40) % 2, [str(row) for row in range(40)], 4, seed=0)

    def overlap(fitted: Rows, read: Rows) -> np.ndarray:
        assert len(fitted) + len(read) == 40
        return np.isin(read, fitted).astype(float)[:, None]

    assert not pooled_predictions(overlap, folds).any()


def test_a_killed_cross_validation_goes_on_after_its_last_fold(tmp_path: Path) -> None:
    folds = np.arange(30) % 3
    asked = []

    def dies_at_first(fitted: Rows, read: Rows) -> np.ndarray:
        asked.append(int(read[0]))
        if asked == [0, 1]:
            raise KeyboardInterrupt
        return np.full((len(read), 3), float(read[0]))

    with pytest.raises(KeyboardInterrupt):
        pooled_predictions(dies_at_first, folds, tmp_path)
    found = pooled_predictions(dies_at_first, folds, tmp_path)

    assert asked == [0, 1, 1, 2]
    assert found[:, 0].tolist() == folds.tolist()


def test_two_views_together_beat_one_by_a_paired_test() -> None:
    text, image, truth = some_pairs()
    heads = {"text": logistic_head(text, truth), "image": logistic_head(image, truth)}
    heads["fused"] = logistic_head(torch.cat([text, image], dim=1), truth)
    folds = stratified_folds(truth, [str(row) for row in range(len(truth))], 5, seed=0)
    read = {name: pooled_predictions(head, folds).argmax(axis=1) for name, head in heads.items()}

    found = report_readers(truth, read, read["text"] == read["image"], seed=0)

    against = found.comparisons["all"]["text"]
    assert against.p_mcnemar < 0.01 and against.differences["accuracy"].low > 0
    assert found.slices["agree"].rows + found.slices["disagree"].rows == len(truth)


def test_pure_noise_beside_the_text_is_no_gain() -> None:
    text, _, truth = some_pairs()
    noise = torch.randn(len(truth), 40, generator=torch.Generator().manual_seed(0))
    heads = {"text": logistic_head(text, truth)}
    heads["fused"] = logistic_head(torch.cat([text, noise], dim=1), truth)
    folds = stratified_folds(truth, [str(row) for row in range(len(truth))], 5, seed=0)
    read = {name: pooled_predictions(head, folds).argmax(axis=1) for name, head in heads.items()}

    found = report_readers(truth, read, np.ones(len(truth), dtype=np.bool_), seed=0)

    assert found.comparisons["all"]["text"].differences["accuracy"].low <= 0
    assert list(found.slices) == ["all", "agree"]  # an empty slice is left out


def test_regression_separates_what_can_be_separated() -> None:
    features, labels = torch.eye(3).repeat(4, 1), torch.tensor([0, 1, 2] * 4)

    weight, bias = fit_logistic(features, labels, penalty=1e-6)

    assert (features @ weight.T + bias).argmax(dim=1).tolist() == labels.tolist()


def test_late_fusion_is_the_mean_of_its_heads() -> None:
    def always(value: float):  # type: ignore[no-untyped-def]
        return lambda fitted, read: np.full((len(read), 3), value)

    rows = np.arange(4)

    assert (
        mean_of([always(0.2), always(0.6)])(rows, rows).tolist() == [pytest.approx([0.4] * 3)] * 4
    )
