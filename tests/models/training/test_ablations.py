import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from models.checkpoint import load_checkpoint
from models.training import ablations
from models.training.ablation_models import VARIANTS
from models.training.ablation_report import (
    Cell,
    bootstrap_interval,
    load_cells,
    save_cell,
    sign_flip_p,
    table,
)
from models.training.folds import group_folds
from tests.models.tiny_model import a_saved_checkpoint
from tests.models.training.small_data import small_data, small_settings, small_text_model


def a_cell(way: str, right: np.ndarray, seed: int = 0) -> Cell:
    """Three-class predictions that are right where `right` says so; the truth is always 0."""
    truth = np.zeros(len(right), dtype=np.int64)
    return Cell(way, False, seed, truth, np.eye(3)[np.where(right, 0, 2)])


def test_folds_share_no_group_and_are_of_like_size() -> None:
    groups = torch.tensor([0, 0, 0, 3, 4, 5, 5, 7, 8, 9, 10, 11])
    folds = group_folds(groups, 3, seed=1)

    assert all(len(set(folds[groups == one].tolist())) == 1 for one in groups)
    assert folds.bincount().tolist() == [4, 4, 4]
    assert not torch.equal(folds, group_folds(groups, 3, seed=2))


def test_random_signs_agree_with_the_exact_sign_test() -> None:
    # 8 wins, 1 loss: 2 x (1 + 9) / 2^9 = 0.0390625
    differences = np.array([1.0] * 8 + [-1.0] + [0.0] * 20)

    assert sign_flip_p(differences) == pytest.approx(0.0390625, abs=0.006)


def test_the_interval_covers_the_mean_as_often_as_it_says() -> None:
    order = np.random.default_rng(0)
    covered = 0
    for _ in range(60):
        low, high = bootstrap_interval((order.random(100) < 0.7).astype(np.float64))
        covered += low <= 0.7 <= high

    assert 51 <= covered <= 60


def test_the_table_tells_a_gain_from_luck() -> None:
    order = np.random.default_rng(1)
    base = order.random(400) < 0.6
    luck = base ^ (order.random(400) < 0.05)
    better = base | (order.random(400) < 0.3)
    cells = [a_cell("text", base), a_cell("same", base), a_cell("luck", luck)]
    rows = {row["way"]: row for row in table([*cells, a_cell("better", better)])}

    assert rows["same"]["p"] == 1.0
    assert rows["luck"]["p"] > 0.05
    assert rows["better"]["p"] < 0.001
    assert rows["better"]["gain"] == pytest.approx(better.mean() - base.mean())


def test_cells_come_back_from_the_disk(tmp_path: Path) -> None:
    save_cell(a_cell("fusion-image-top", np.array([True, False]), seed=2), tmp_path)

    [cell] = load_cells(tmp_path)

    assert (cell.way, cell.aligned, cell.seed) == ("fusion-image-top", False, 2)
    assert cell.right.tolist() == [1.0, 0.0]


def test_a_kept_alignment_is_the_image_path_and_leaves_the_text(tmp_path: Path) -> None:
    mood = ablations.fresh_mood(load_checkpoint(a_saved_checkpoint(tmp_path / "checkpoint")), 0)
    before = {name: tensor.clone() for name, tensor in mood.state_dict().items()}
    image = {name: tensor + 1 for name, tensor in before.items() if name.startswith("image.")}
    best = {f"mood.{name}": tensor for name, tensor in image.items()}
    torch.save({"best": best | {"log_scale": torch.ones(())}}, tmp_path / "align.pt")

    ablations.take_alignment(mood, tmp_path / "align.pt")

    after = mood.state_dict()
    assert {name for name in after if not torch.equal(after[name], before[name])} == image.keys()


def test_every_way_is_compared_and_no_cell_is_fitted_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = small_data(tmp_path / "data", pairs=12)
    small_text_model(tmp_path / "text-model")
    config = small_settings(tmp_path, pair_path=True, fusion={"teachers": 2, "soup": 2})
    command = [
        *("ablations", "--data", str(data), "--output", str(tmp_path / "out")),
        *("--checkpoint", str(a_saved_checkpoint(tmp_path / "checkpoint"))),
        *("--folds", "2", "--seeds", "1", "--configs", str(config)),
    ]
    monkeypatch.setattr(sys, "argv", command)

    ablations.main()
    first = capsys.readouterr().out
    ablations.main()
    again = capsys.readouterr().out

    lines = (tmp_path / "out/ablations.md").read_text("utf-8").splitlines()
    assert len(lines) == 2 + (2 * len(VARIANTS) - 1) + 1
    assert all(name in "\n".join(lines) for name in VARIANTS.values())
    assert "cells 16/16" in first
    assert "cells" not in again
    assert again.strip().splitlines()[-len(lines) :] == lines
