"""Compares ways of fusion: `python -m models.training.ablations --data DIR --output DIR`."""

import argparse
import copy
import dataclasses
import shutil
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.checkpoint import DEFAULT_CHECKPOINT, Checkpoint, load_checkpoint
from models.mood_model import MoodModel
from models.training.ablation_models import VARIANTS
from models.training.ablation_report import Cell, load_cells, save_cell, write_report
from models.training.cross_validation import (
    Fold,
    align,
    fit_configured,
    fit_reader,
    folds_of,
    pooled,
)
from models.training.features import FeatureStore
from models.training.image_top import ImageTop
from models.training.loop import Run
from models.training.machine import choose_machine
from models.training.pairs import Pairs, encode_pairs, labelled_pairs, stream_pairs
from models.training.progress import Progress
from models.training.settings import TrainingSettings, load_settings


def main() -> None:
    """Fits every cell that is not yet in OUTPUT/cells, then writes the table."""
    arguments = parse_arguments()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    ablation = Ablation(arguments)
    cells = [cell for cell in ablation.cells() if not ablation.has(cell)]
    progress = Progress("cells", len(cells), every_seconds=0)
    for done, cell in enumerate(cells, 1):
        found = ablation.fit(cell)
        save_cell(found, ablation.folder / "cells")
        progress.report(done, accuracy=float(found.right.mean()))
    print(write_report(load_cells(ablation.folder / "cells"), VARIANTS, ablation.folder))


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with pairs/")
    parser.add_argument("--output", type=Path, required=True, help="folder of cells and table")
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT)
    parser.add_argument("--ways", nargs="*", default=list(VARIANTS), help=", ".join(VARIANTS))
    parser.add_argument(
        "--configs", nargs="*", type=Path, default=[], help="also the stages of these settings"
    )
    parser.add_argument("--contrastive", choices=("both", "without", "with"), default="both")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--grid", type=int, default=3, help="patches are averaged to so many a side"
    )
    parser.add_argument(
        "--align-state", type=Path, help="align.pt of a run instead of a stage for each fold"
    )
    parser.add_argument("--threads", type=int, help="CPU threads (default: all cores)")
    return parser.parse_args()


class Ablation:
    """The cells of one comparison: pooled cross-validation over MVSA's train and validation."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments, self.folder = arguments, arguments.output
        self._checkpoint = load_checkpoint(arguments.checkpoint)
        self._configs = {file.stem: load_settings(file) for file in arguments.configs}
        self._cut: dict[str, Pairs] = {}
        self._pairs = pooled(
            read_pairs(arguments.data, self._checkpoint, self.folder), arguments.grid
        )
        self._labelled = int((self._pairs.labels >= 0).sum())

    def cells(self) -> list[Cell]:
        """All cells, without predictions."""
        truth = self._pairs.labels[: self._labelled].numpy()
        asked = self._arguments.contrastive
        kinds = [kind for kind in (False, True) if asked in ("both", "with" if kind else "without")]
        names = [(way, kind) for way in self._arguments.ways for kind in kinds]
        names = [(way, kind) for way, kind in names if not (way == "text" and kind)]
        names += [(name, settings.align is not None) for name, settings in self._configs.items()]
        return [
            Cell(way, aligned, seed, truth, np.zeros((len(truth), 3)))
            for seed in range(self._arguments.seeds)
            for way, aligned in names
        ]

    def has(self, cell: Cell) -> bool:
        """Whether an earlier run fitted it."""
        return Path(self.folder / "cells" / f"{cell.name}.npz").is_file()

    def fit(self, cell: Cell) -> Cell:
        """The cell with its predictions."""
        probabilities = torch.zeros(len(cell.truth), 3)
        labelled = dataclasses.replace(self._pairs, groups=self._pairs.groups[: self._labelled])
        for fold in folds_of(labelled, self._arguments.folds, cell.seed):
            probabilities[fold.test] = self._fit(cell, fold)
        return dataclasses.replace(cell, probabilities=probabilities.double().numpy())

    def _fit(self, cell: Cell, fold: Fold) -> Tensor:
        settings = self._configs.get(cell.way)
        checkpoint = self._checkpoint
        name = f"{cell.way if settings else 'align'}-seed{cell.seed}-fold{fold.number}"
        # Products this small gain nothing from 16 bits on a CPU; a configuration says its own.
        machine = choose_machine(settings.precision if settings else "fp32")
        run = Run(machine, self.folder / "states" / name, cell.seed)
        run.out.mkdir(parents=True, exist_ok=True)
        mood = fresh_mood(checkpoint, cell.seed, pair_path=bool(settings and settings.pair_path))
        if settings is not None:
            own = (mood, copy.deepcopy(checkpoint.image_encoder))  # its top may be trained
            found = fit_configured(settings, own, self._pairs_for(settings), fold, run)
            shutil.rmtree(run.out)  # the cell holds what is wanted of it
            return found
        if cell.aligned and self._arguments.align_state:
            take_alignment(mood, self._arguments.align_state)
        elif cell.aligned:
            align(mood, checkpoint.image_encoder, self._pairs, fold, run)
        return fit_reader(cell.way, mood, self._pairs, fold, run)

    def _pairs_for(self, settings: TrainingSettings) -> Pairs:
        """The pairs; with what the image encoder's cut was given where its top is trained."""
        cut = settings.fusion.train_image_from if settings.fusion else None
        if cut is None:
            return self._pairs
        if cut not in self._cut:
            data, folder = self._arguments.data, self.folder
            self._cut[cut] = read_pairs(data, self._checkpoint, folder, cut)
        return self._cut[cut]


def fresh_mood(checkpoint: Checkpoint, seed: int, *, pair_path: bool = False) -> MoodModel:
    """A mood model with the checkpoint's text path and heads, all else new."""
    torch.manual_seed(seed)
    mood = MoodModel(dataclasses.replace(checkpoint.mood.config, pair_path=pair_path))
    kept = {
        name: tensor
        for name, tensor in checkpoint.mood.state_dict().items()
        if name.startswith(("text.", "heads."))
    }
    mood.load_state_dict(kept, strict=False)
    mood.start_pair_path()
    return mood


def take_alignment(mood: MoodModel, state: Path) -> None:
    """Image path and joint space of a contrastive stage that a training run kept.

    It saw the folds' pairs, but no stage on pairs reads a label before the fusion's.
    """
    best = torch.load(state, map_location="cpu", weights_only=True)["best"]
    own = {name.removeprefix("mood."): tensor for name, tensor in best.items()}
    kept = {name: own[name] for name in mood.state_dict().keys() & own.keys()}
    mood.load_state_dict(kept, strict=False)


def read_pairs(data: Path, checkpoint: Checkpoint, folder: Path, cut: str | None = None) -> Pairs:
    """MVSA's train and validation, then the pairs without labels, with frozen features."""
    raw = [one for part in ("train", "validation") for one in labelled_pairs(data, part)]
    text = (checkpoint.tokenizer, checkpoint.text_encoder)
    top = ImageTop(copy.deepcopy(checkpoint.image_encoder), cut)
    return encode_pairs(raw + stream_pairs(data), text, top, FeatureStore(folder / "features"))


if __name__ == "__main__":
    main()
