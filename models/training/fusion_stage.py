"""Stage (d): the image path and the fusion on labelled pairs, with the text path frozen."""

import random
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from models.labels import SENTIMENTS
from models.mood_model import MoodOutput
from models.training.align_stage import shuffled
from models.training.averaging import copy_into, snapshot
from models.training.figures import accuracy, macro_recall, weighted_f1
from models.training.folds import group_folds
from models.training.loop import Loop, Run, build_optimizer
from models.training.losses import class_weights
from models.training.machine import Machine
from models.training.pair_model import PairModel
from models.training.pairs import Pairs, Parts
from models.training.settings import FusionStageSettings

_KEPT_HEADS = ("emotions", "irony", "offence")


def train_fusion(
    model: PairModel,
    settings: FusionStageSettings,
    parts: Parts,
    run: Run,
) -> None:
    """Trains in place; goes on from the states `fusion*.pt` in the run's folder.

    First the teachers, if any, then each run of the soup from the same start; their average stays
    (Wortsman et al. 2022, Model soups: runs from one start lie in one basin).
    """
    model.to(run.machine.device)
    start = model.fresh_copy()
    targets = teach(start, settings, parts, run)
    weights = []
    for number in range(settings.soup):
        one = start.fresh_copy()
        seeded = replace(run, seed=run.seed + number)
        stage = FusionStage(one, settings, parts, targets, seeded)
        stage.name = f"fusion-{number}" if number else "fusion"
        _train(stage, settings, seeded)
        weights.append(snapshot(one))
    mean = {name: torch.stack([one[name] for one in weights]).mean(dim=0) for name in weights[0]}
    copy_into(model, mean)


def teach(
    start: PairModel,
    settings: FusionStageSettings,
    parts: Parts,
    run: Run,
) -> Tensor:
    """What the training pairs' labels should be, (pairs, 3).

    One-hot labels, mixed with the reading of a model that was fitted to the other folds: where two
    annotators would disagree, so does it, and what it learns by heart helps it nothing.
    """
    train = parts.train
    targets = functional.one_hot(train.labels, len(SENTIMENTS)).float()
    if not settings.teachers:
        return targets
    soft = torch.zeros_like(targets)
    folds = group_folds(train.groups, settings.teachers, run.seed)
    for fold in range(settings.teachers):
        teacher = start.fresh_copy()
        others = torch.nonzero(folds != fold).squeeze(1).tolist()
        seen = Parts(some_pairs(train, others), parts.validation)
        stage = FusionStage(teacher, settings, seen, targets[others], run)
        stage.name = f"fusion-teacher-{fold}"
        _train(stage, settings, run)
        rows = torch.nonzero(folds == fold).squeeze(1).tolist()
        soft[rows] = sentiment_probabilities(teacher, train, rows, run.machine)
    return (1 - settings.teacher_share) * targets + settings.teacher_share * soft


def some_pairs(pairs: Pairs, rows: Sequence[int]) -> Pairs:
    """A part of the pairs, with all images."""
    index = torch.as_tensor(list(rows), dtype=torch.long)
    return replace(
        pairs,
        tokens=[pairs.tokens[row] for row in rows],
        image_ids=pairs.image_ids[index],
        labels=pairs.labels[index],
        groups=pairs.groups[index],
    )


def _train(stage: "FusionStage", settings: FusionStageSettings, run: Run) -> None:
    torch.manual_seed(run.seed)
    model = stage.module
    groups = [(model.top, settings.image_learning_rate), (model, settings.learning_rate)]
    Loop(stage, settings, build_optimizer(groups, settings.weight_decay), run).run()


class FusionStage:
    """Sentiment of pairs as a stage of the loop."""

    def __init__(
        self,
        model: PairModel,
        settings: FusionStageSettings,
        parts: Parts,
        targets: Tensor,
        run: Run,
    ) -> None:
        self.name = "fusion"
        self.module, self._settings, self._seed = model, settings, run.seed
        self._train, self._validation, self._targets = parts.train, parts.validation, targets
        self.data = parts.digest()
        self._machine = run.machine
        self.steps = [-(-len(parts.train) // settings.batch_size)] * settings.rounds
        counts = torch.bincount(parts.train.labels, minlength=len(SENTIMENTS)).tolist()
        self._class_weights = class_weights(counts, settings.class_balance)

    def batches(self, round_: int) -> Sequence[list[int]]:
        """Rows of the pairs, each once."""
        order = random.Random(f"{self._seed}-{round_}")
        return shuffled(list(range(len(self._train))), self._settings.batch_size, order)

    def loss(self, rows: list[int]) -> dict[str, Tensor]:
        """Sentiment of the pair, contrast, and staying near the text's other answers."""
        settings, device = self._settings, self._machine.device
        batch = self._train.batch(rows).to(device)
        hidden = torch.rand(len(rows)) < settings.image_only_share  # modality dropout
        patches = self.module.patches(batch)
        fused = self.module.read(batch, patches, hidden.to(device))
        parts = {
            "sentiment": functional.cross_entropy(
                fused.logits["sentiment"].float(),
                self._targets[rows].to(device),
                weight=self._class_weights.to(device),
                label_smoothing=settings.label_smoothing,
            )
        }
        total = parts["sentiment"]
        if settings.contrastive_weight:
            parts["contrastive"] = self.module.contrastive(batch, patches)
            total = total + settings.contrastive_weight * parts["contrastive"]
        if settings.keep_weight and not hidden.all():
            with torch.no_grad():
                alone = self.module.read_text(batch)
            parts["keeping"] = _keeping_loss(fused, alone, ~hidden)
            total = total + settings.keep_weight * parts["keeping"]
        return {"loss": total, **parts}

    def validate(self) -> dict[str, float]:
        """Figures on the validation pairs; the score is the mean log probability of the truth.

        Of 450 pairs the accuracy moves by a point between rounds by luck; this moves less.
        """
        pairs = self._validation
        probabilities = sentiment_probabilities(
            self.module, pairs, range(len(pairs)), self._machine
        )
        truth, predicted = pairs.labels.numpy(), probabilities.argmax(dim=1).numpy()
        right = probabilities[torch.arange(len(pairs)), pairs.labels]
        return {
            "accuracy": accuracy(truth, predicted),
            "weighted_f1": weighted_f1(truth, predicted, len(SENTIMENTS)),
            "macro_recall": macro_recall(truth, predicted, len(SENTIMENTS)),
            "score": float(right.clamp(min=1e-9).log().mean()),
        }


def _keeping_loss(fused: MoodOutput, alone: MoodOutput, rows: Tensor) -> Tensor:
    """Cross-entropy of the fused answers to the text's, for heads that no pair is labelled for."""
    losses = [
        functional.binary_cross_entropy_with_logits(
            fused.logits[head][rows].float(), alone.logits[head][rows].float().sigmoid()
        )
        for head in _KEPT_HEADS
    ]
    return torch.stack(losses).sum()


@torch.inference_mode()
def sentiment_probabilities(
    model: PairModel, pairs: Pairs, rows: Sequence[int], machine: Machine
) -> Tensor:
    """Fused sentiment of some pairs, (rows, 3), on the CPU."""
    model.eval()
    found = []
    with machine.autocast():
        for start in range(0, len(rows), 64):
            batch = pairs.batch(rows[start : start + 64]).to(machine.device)
            logits = model.read(batch, model.patches(batch)).logits["sentiment"]
            found.append(logits.float().softmax(dim=1).cpu())
    return torch.cat(found)
