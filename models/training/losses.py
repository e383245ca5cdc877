"""Losses of the text tasks and of the joint space."""

from collections import Counter
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from models.labels import EMOTIONS, HEADS, TWEET_EMOTION_INDEXES
from models.training.data import Example


def task_loss(
    logits: dict[str, Tensor],
    batch: Sequence[Example],
    weights: dict[str, float],
    class_weights: dict[str, Tensor],
) -> Tensor:
    """Sum over tasks of weight x mean loss x share of the batch."""
    total = torch.zeros(())
    for task, weight in weights.items():
        rows = [index for index, example in enumerate(batch) if example.task == task]
        if rows:
            targets = [batch[index].target for index in rows]
            loss = _loss_of(task, logits, rows, targets, class_weights.get(task))
            total = total + weight * len(rows) / len(batch) * loss
    return total


def _loss_of(
    task: str,
    logits: dict[str, Tensor],
    rows: list[int],
    targets: list[tuple[int, ...]],
    class_weight: Tensor | None,
) -> Tensor:
    if task == "emotions":
        # Summed over labels: the mean over 28 mostly empty labels hardly moves the encoder.
        several = many_hot(targets, len(EMOTIONS))
        return (
            functional.binary_cross_entropy_with_logits(
                logits["emotions"][rows].float(), several, reduction="none"
            )
            .sum(dim=1)
            .mean()
        )
    single = torch.tensor([target[0] for target in targets])
    if task == "tweet_emotion":
        four = logits["emotions"][rows][:, list(TWEET_EMOTION_INDEXES)].float()
        return functional.cross_entropy(four, single, weight=class_weight)
    if HEADS[task] == 1:
        return functional.binary_cross_entropy_with_logits(
            logits[task][rows, 0].float(), single.float()
        )
    return functional.cross_entropy(logits[task][rows].float(), single, weight=class_weight)


def many_hot(targets: Sequence[tuple[int, ...]], labels: int) -> Tensor:
    """(batch, labels), 1 where a label holds."""
    hot = torch.zeros(len(targets), labels)
    for row, target in enumerate(targets):
        hot[row, list(target)] = 1
    return hot


def balancing_weights(examples: Sequence[Example], classes: int, power: float) -> Tensor:
    """Class weights proportional to frequency^-power, with mean 1 over the examples.

    Power 0 keeps the training set's class shares, 1 makes every class count the same, which is
    what macro-recall rewards.
    """
    counts = Counter(example.target[0] for example in examples)
    shares = torch.tensor([counts[label] / len(examples) for label in range(classes)])
    raw = shares.pow(-power)
    return raw / (raw * shares).sum()


def contrastive_loss(text: Tensor, image: Tensor, log_scale: Tensor) -> Tensor:
    """InfoNCE in both directions over unit vectors (batch, width); CLIP's symmetric form."""
    similarities = log_scale.exp() * text @ image.T
    own = torch.arange(len(text))
    return (
        functional.cross_entropy(similarities, own) + functional.cross_entropy(similarities.T, own)
    ) / 2
