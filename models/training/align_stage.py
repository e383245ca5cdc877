"""Stages (b) and (c): the joint space, and the image encoder's top, by contrast over all pairs."""

import random
from collections import defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor

from models.training.loop import Loop, Run, build_optimizer
from models.training.pair_model import PairModel
from models.training.pairs import Batch, Pairs, Parts
from models.training.settings import AlignStageSettings

RECALL_AT = (1, 5, 10)


def train_align(
    model: PairModel,
    settings: AlignStageSettings,
    parts: Parts,
    run: Run,
) -> None:
    """Trains in place; goes on from `align.pt` in the run's folder where that exists."""
    torch.manual_seed(run.seed)
    model.to(run.machine.device)
    stage = AlignStage(model, settings, parts, run)
    groups = [(model.top, settings.image_learning_rate), (model, settings.learning_rate)]
    Loop(stage, settings, build_optimizer(groups, settings.weight_decay), run).run()


class AlignStage:
    """InfoNCE in both directions and image-text matching, as a stage of the loop."""

    name = "align"

    def __init__(
        self,
        model: PairModel,
        settings: AlignStageSettings,
        parts: Parts,
        run: Run,
    ) -> None:
        self.module, self._settings, self._seed = model, settings, run.seed
        self._train, self._validation, self.data = parts.train, parts.validation, parts.digest()
        self._device = run.machine.device
        counts = torch.bincount(self._train.image_ids).clamp(max=settings.posts_per_image)
        batches = -(-int(counts.sum()) // settings.batch_size)
        self.steps = [batches] * settings.rounds

    def batches(self, round_: int) -> Sequence[list[int]]:
        """Rows of the pairs: all of them, but of a much shared image only some, drawn anew."""
        order, by_image = random.Random(f"{self._seed}-{round_}"), defaultdict(list)
        for row, image in enumerate(self._train.image_ids.tolist()):
            by_image[image].append(row)
        most = self._settings.posts_per_image
        rows = [
            row for posts in by_image.values() for row in order.sample(posts, min(most, len(posts)))
        ]
        return shuffled(rows, self._settings.batch_size, order)

    def loss(self, rows: list[int]) -> dict[str, Tensor]:
        """The contrastive term and, where they count, matching and the game of modalities."""
        batch = self._train.batch(rows).to(self._device)
        patches = self.module.patches(batch)
        parts = {"contrastive": self.module.contrastive(batch, patches)}
        total = parts["contrastive"]
        if self._settings.matching_weight:
            parts["matching"] = self.module.matching_loss(batch, patches)
            total = total + self._settings.matching_weight * parts["matching"]
        if self._settings.adversarial_weight:
            parts["adversarial"] = self.module.adversary.game(*self.module.joint(batch, patches))
            total = total + self._settings.adversarial_weight * parts["adversarial"]
        return {"loss": total, **parts}

    def validate(self) -> dict[str, float]:
        """Recall in both directions; the score is the mean of all six (a sixth of `rsum`)."""
        text, image = joint_vectors(self.module, self._validation, self._device)
        figures = recalls_at(text @ image.T, self._validation.image_ids)
        recalls = [value for name, value in figures.items() if "_to_" in name]
        return {**figures, "score": sum(recalls) / len(recalls)}


def joint_vectors(model: PairModel, pairs: Pairs, device: torch.device) -> tuple[Tensor, Tensor]:
    """Joint vectors of all pairs, (pairs, width) each, on the CPU in 32 bits."""
    texts, images = [], []
    for start in range(0, len(pairs), 128):
        batch: Batch = pairs.batch(range(start, min(len(pairs), start + 128))).to(device)
        text, image = model.joint(batch, model.patches(batch))
        texts.append(text.float().cpu())
        images.append(image.float().cpu())
    return torch.cat(texts), torch.cat(images)


def recalls_at(similarity: Tensor, image_ids: Tensor) -> dict[str, float]:
    """Share of queries with a right answer among the k nearest, and of others that are farther.

    Args:
        similarity: text by image, (pairs, pairs).
        image_ids: an answer is right if it shows the query's image.
    """
    same = image_ids[:, None] == image_ids[None, :]
    figures = {}
    for name, scores in (("text_to_image", similarity), ("image_to_text", similarity.T)):
        nearest = scores.topk(min(max(RECALL_AT), len(scores)), dim=1).indices
        right = same.gather(1, nearest)
        for k in RECALL_AT:
            figures[f"{name}_{k}"] = float(right[:, :k].any(dim=1).float().mean())
    nearer = similarity.diag()[:, None] > similarity
    figures["own_image_nearer"] = float(nearer[~same].float().mean()) if (~same).any() else 1.0
    return figures


def shuffled(rows: list[int], size: int, order: random.Random) -> list[list[int]]:
    """Batches of rows in random order."""
    rows = list(rows)
    order.shuffle(rows)
    return [rows[start : start + size] for start in range(0, len(rows), size)]
