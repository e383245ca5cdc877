"""Compares alignments: `python -m models.evaluation.alignments --data D --output DIR`."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch
from msgspec.structs import replace
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Column, Table

from models.checkpoint import DEFAULT_CHECKPOINT, Checkpoint, load_checkpoint
from models.evaluation.figures_file import write_figures
from models.evaluation.intervals import Figure, mean_interval
from models.evaluation.recall import ranks_of
from models.evaluation.scaling import halves
from models.training.ablations import fresh_mood, read_pairs
from models.training.align_stage import joint_vectors
from models.training.cross_validation import ALIGN, Fold, align, pooled
from models.training.fusion_stage import some_pairs
from models.training.image_top import ImageTop
from models.training.loop import Run
from models.training.machine import choose_machine
from models.training.pair_model import PairModel
from models.training.pairs import Pairs, labelled_pairs
from models.training.settings import AlignStageSettings

Vectors = NDArray[np.float32]
AT = (1, 5, 10)


class Alignment(msgspec.Struct, frozen=True):
    """What a way of alignment reaches on pairs that it never saw, as the mean of its seeds.

    Attributes:
        way: of the contrastive stage.
        recall: by direction and k, the share of queries whose partner is among the k closest; the
            interval takes a pair as one witness, whatever the number of seeds.
        told_apart: see the function of that name.
    """

    way: str
    recall: dict[str, Figure]
    told_apart: float


@dataclass(frozen=True)
class Ways:
    """Where the joint space of each way is trained and judged."""

    pairs: Pairs
    fold: Fold
    checkpoint: Checkpoint
    folder: Path

    def measure(self, way: str, settings: AlignStageSettings | None, seeds: int) -> Alignment:
        """One way with so many first weights and orders; None leaves the first weights alone."""
        found = [self._placed(way, settings, seed) for seed in range(seeds)]
        ranks = [self._ranks(*places) for places in found]
        recall = {
            f"{direction} at {k}": mean_interval(
                np.mean([one[direction] <= k for one in ranks], axis=0), seed=0
            )
            for direction in ranks[0]
            for k in AT
        }
        return Alignment(way, recall, float(np.mean([told_apart(*places) for places in found])))

    def _placed(
        self, way: str, settings: AlignStageSettings | None, seed: int
    ) -> tuple[Vectors, Vectors]:
        """Places of the held-out texts and images, (pairs, width) each; kept beside the states."""
        folder = self.folder / f"{way}-seed{seed}"
        kept = folder / "places.npz"
        if kept.is_file():
            with np.load(kept) as held:
                return held["text"], held["image"]
        folder.mkdir(parents=True, exist_ok=True)
        machine, encoder = choose_machine("fp32"), self.checkpoint.image_encoder
        mood = fresh_mood(self.checkpoint, seed)
        if settings is not None:
            align(
                mood, encoder, self.pairs, self.fold, Run(machine, folder, seed), settings=settings
            )
        model = PairModel(mood, ImageTop(encoder, None)).to(machine.device).eval()
        with torch.inference_mode():
            places = joint_vectors(model, self._judged, machine.device)
        text, image = (one.numpy() for one in places)
        np.savez(kept, text=text, image=image)
        return text, image

    @property
    def _judged(self) -> Pairs:
        return some_pairs(self.pairs, self.fold.test)

    def _ranks(self, text: Vectors, image: Vectors) -> dict[str, NDArray[np.int64]]:
        """By direction; posts tied by an equal text or image are each other's partners."""
        groups = self._judged.groups.numpy()
        return ranks_of(text, image, own=groups[:, None] == groups)


def told_apart(text: Vectors, image: Vectors, seed: int = 0) -> float:
    """Share of places that the nearer of two centroids takes for what they are; 0.5: a coin.

    The centroids of texts and of images are those of one half of the pairs, and judge the other
    half. Source: the modality gap of Liang et al. 2022, Mind the Gap, as a rate.

    >>> apart = np.eye(2)[[0, 0, 0, 0]], np.eye(2)[[1, 1, 1, 1]]
    >>> told_apart(*apart)
    1.0
    """
    shares = []
    for fitted, judged in halves(len(text), seed):
        towards_text = text[fitted].mean(axis=0) - image[fitted].mean(axis=0)
        middle = (text[fitted].mean(axis=0) + image[fitted].mean(axis=0)) / 2
        of_text, of_image = ((one[judged] - middle) @ towards_text for one in (text, image))
        shares += [float((of_text > 0).mean()), float((of_image < 0).mean())]
    return float(np.mean(shares))


def main() -> None:
    """Trains what is not yet in OUTPUT, prints the table, writes OUTPUT/alignments.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with pairs/")
    parser.add_argument("--output", type=Path, required=True, help="folder of states and figures")
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--adversarial", nargs="*", type=float, default=[0.1, 1.0], help="weights to compare"
    )
    parser.add_argument(
        "--grid", type=int, default=3, help="patches are averaged to so many a side"
    )
    parser.add_argument("--threads", type=int, help="CPU threads (default: all cores)")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    checkpoint = load_checkpoint(arguments.checkpoint)
    found = compare(
        prepare(arguments.data, checkpoint, arguments.output, arguments.grid),
        arguments.adversarial,
        arguments.seeds,
    )
    Console().print(table(found))
    write_figures(found, arguments.output / "alignments.json")


def prepare(data: Path, checkpoint: Checkpoint, folder: Path, grid: int) -> Ways:
    """MVSA's training pairs to train on and its validation pairs to judge, none tied to both."""
    pairs = pooled(read_pairs(data, checkpoint, folder), grid)
    trained = len(labelled_pairs(data, "train"))
    test = list(range(trained, int((pairs.labels >= 0).sum())))
    groups = pairs.groups.tolist()
    judged = {groups[row] for row in test}
    train = [row for row in range(trained) if groups[row] not in judged]
    return Ways(pairs, Fold(0, train, test), checkpoint, folder)


def compare(ways: Ways, weights: Sequence[float], seeds: int) -> list[Alignment]:
    """No contrastive stage, the stage, and the stage with the game at each weight."""
    arms: dict[str, AlignStageSettings | None] = {"none": None, "contrastive": ALIGN}
    arms |= {
        f"contrastive, adversarial {weight:g}": replace(ALIGN, adversarial_weight=weight)
        for weight in weights
    }
    return [ways.measure(way, settings, seeds) for way, settings in arms.items()]


def table(found: Sequence[Alignment]) -> Table:
    """A row each way."""
    columns = [Column(name, overflow="fold") for name in ("stage", *found[0].recall, "told apart")]
    shown = Table(*columns)
    for one in found:
        shown.add_row(one.way, *(str(r) for r in one.recall.values()), f"{one.told_apart:.3f}")
    return shown


if __name__ == "__main__":
    main()
