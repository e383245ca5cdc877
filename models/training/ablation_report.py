"""The table of an ablation from the predictions of its cells."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.training.figures import accuracy, macro_recall, weighted_f1

Floats = NDArray[np.float64]
_DRAWS = 2000
_FLIPS = 10_000


@dataclass(frozen=True)
class Cell:
    """Left-out predictions of one way, with or without the contrastive stage, for one seed."""

    way: str
    aligned: bool
    seed: int
    truth: NDArray[np.int64]
    probabilities: Floats

    @property
    def name(self) -> str:
        """Its file's name."""
        return f"{self.way}-{'aligned' if self.aligned else 'plain'}-seed{self.seed}"

    @property
    def right(self) -> Floats:
        """1 where the likeliest class is the true one, (rows,)."""
        return np.asarray(self.probabilities.argmax(axis=1) == self.truth, dtype=np.float64)


def save_cell(cell: Cell, folder: Path) -> None:
    """Writes `NAME.npz` with truth (rows,) and probabilities (rows, 3), in the data's order."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{cell.name}.partial.npz"
    np.savez(partial, truth=cell.truth, probabilities=cell.probabilities)
    partial.replace(folder / f"{cell.name}.npz")


def load_cells(folder: Path) -> list[Cell]:
    """All cells of a folder, in order of their names."""
    cells = []
    for file in sorted(folder.glob("*-seed*.npz")):
        if file.name.endswith(".partial.npz"):
            continue
        way, kind, seed = file.stem.rsplit("-", 2)
        with np.load(file) as held:
            number = int(seed.removeprefix("seed"))
            cells.append(Cell(way, kind == "aligned", number, held["truth"], held["probabilities"]))
    return cells


def table(cells: Sequence[Cell], rival: str = "text") -> list[dict[str, Any]]:
    """A row for each way: figures as means over seeds, an interval, and the test against `rival`.

    The interval is a bootstrap over rows of the accuracy's mean over seeds. The test flips the
    signs of the rows' differences in that mean at random (two-sided): were way and rival equal, a
    row would favour either as often.
    """
    groups: dict[tuple[str, bool], list[Cell]] = defaultdict(list)
    for cell in cells:
        groups[cell.way, cell.aligned].append(cell)
    against = _right(groups[rival, False]) if (rival, False) in groups else None
    return [_row(way, aligned, members, against) for (way, aligned), members in groups.items()]


def _row(
    way: str, aligned: bool, members: Sequence[Cell], against: Floats | None
) -> dict[str, Any]:
    right = _right(members)
    low, high = bootstrap_interval(right)
    predicted = [(one.truth, one.probabilities.argmax(axis=1)) for one in members]
    by_seed = [accuracy(*pair) for pair in predicted]
    row: dict[str, Any] = {
        "way": way,
        "aligned": aligned,
        "seeds": len(members),
        "rows": len(right),
        "accuracy": float(right.mean()),
        "accuracy_low": low,
        "accuracy_high": high,
        "accuracy_between_seeds": float(np.std(by_seed)),
        "weighted_f1": float(np.mean([weighted_f1(*pair, 3) for pair in predicted])),
        "macro_recall": float(np.mean([macro_recall(*pair, 3) for pair in predicted])),
    }
    if against is not None and len(against) == len(right):
        row["gain"] = float((right - against).mean())
        row["p"] = sign_flip_p(right - against)
    return row


def bootstrap_interval(values: Floats, seed: int = 0) -> tuple[float, float]:
    """95 % percentile interval of the mean."""
    order = np.random.default_rng(seed)
    draws = [values[order.integers(0, len(values), len(values))].mean() for _ in range(_DRAWS)]
    low, high = np.quantile(draws, (0.025, 0.975))
    return float(low), float(high)


def sign_flip_p(differences: Floats, seed: int = 0) -> float:
    """Two-sided p of mean 0 by random signs; rows without a difference decide nothing.

    >>> sign_flip_p(np.zeros(10))
    1.0
    """
    moved = differences[differences != 0]
    if not len(moved):
        return 1.0
    order, seen = np.random.default_rng(seed), abs(moved.sum()) - 1e-9
    signs = order.integers(0, 2, (_FLIPS, len(moved)), dtype=np.int8) * 2 - 1
    as_far = int((np.abs(signs @ moved) >= seen).sum())
    return (1 + as_far) / (1 + _FLIPS)


def write_report(cells: Sequence[Cell], names: dict[str, str], folder: Path) -> str:
    """Writes ablations.json and ablations.md; returns the latter."""
    rows = table(cells)
    order = {way: number for number, way in enumerate(names)}
    rows.sort(key=lambda row: (order.get(row["way"], len(order)), row["way"], row["aligned"]))
    (folder / "ablations.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    lines = [
        "| way | contrastive stage | accuracy (95 %) | weighted F1 | macro-recall "
        "| points against text | p |",
        "|---|---|---|---|---|---|---|",
        *(_line(row, names) for row in rows),
    ]
    text = "\n".join(lines) + "\n"
    (folder / "ablations.md").write_text(text, encoding="utf-8")
    return text


def _line(row: dict[str, Any], names: dict[str, str]) -> str:
    interval = f"{row['accuracy_low']:.3f}–{row['accuracy_high']:.3f}"
    gain = f"{100 * row['gain']:+.1f}" if "gain" in row else "–"
    p = f"{row['p']:.4f}" if "p" in row else "–"
    return (
        f"| {names.get(row['way'], row['way'])} | {'yes' if row['aligned'] else 'no'} "
        f"| {row['accuracy']:.3f} ({interval}) | {row['weighted_f1']:.3f} "
        f"| {row['macro_recall']:.3f} | {gain} | {p} |"
    )


def _right(members: Sequence[Cell]) -> Floats:
    return np.asarray(np.mean([one.right for one in members], axis=0))
