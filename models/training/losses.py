"""Losses of the text tasks and of the joint space."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from models.labels import EMOTIONS, TWEET_EMOTION_INDEXES
from models.training.data import Example

ONE_OF_SEVERAL: Final = ("sentiment", "tweet_emotion")  # tasks with a softmax over their classes


def task_losses(
    logits: dict[str, Tensor],
    batch: Sequence[Example],
    class_weights: dict[str, Tensor],
    smoothing: float = 0.0,
) -> dict[str, Tensor]:
    """Mean loss of each task that has rows in the batch."""
    rows: dict[str, list[int]] = {}
    for index, example in enumerate(batch):
        rows.setdefault(example.task, []).append(index)
    losses = {}
    for task, members in rows.items():
        head = logits_of_task(task, logits)[members].float()
        targets = [batch[index].target for index in members]
        losses[task] = _loss_of(task, head, targets, class_weights.get(task), smoothing)
    return losses


def taught_losses(
    logits: dict[str, Tensor], batch: Sequence[Example], answers: dict[str, Tensor]
) -> dict[str, Tensor]:
    """Mean cross-entropy to what teachers answer, by task, over rows labelled for another task.

    Args:
        logits: by head, (batch, size).
        batch: examples whose `row` says where their answers are.
        answers: probabilities by task, (texts, classes).
    """
    losses = {}
    for task, said in answers.items():
        members = [index for index, example in enumerate(batch) if example.task != task]
        if not members:
            continue
        head = logits_of_task(task, logits)[members].float()
        targets = said[[batch[index].row for index in members]].to(head)
        if task in ONE_OF_SEVERAL:
            losses[task] = functional.cross_entropy(head, targets)
        else:
            several = functional.binary_cross_entropy_with_logits(head, targets, reduction="none")
            losses[task] = several.sum(dim=1).mean()
    return losses


def probabilities_of_task(task: str, logits: dict[str, Tensor]) -> Tensor:
    """What the logits say in one task, (batch, classes)."""
    own = logits_of_task(task, logits).float()
    return own.softmax(dim=1) if task in ONE_OF_SEVERAL else own.sigmoid()


def logits_of_task(task: str, logits: dict[str, Tensor]) -> Tensor:
    """The logits that a task is judged by: a head's, of the tweets' emotions four of a head's."""
    if task == "tweet_emotion":
        return logits["emotions"][:, list(TWEET_EMOTION_INDEXES)]
    return logits[task]


def _loss_of(
    task: str,
    head: Tensor,
    targets: list[tuple[int, ...]],
    class_weight: Tensor | None,
    smoothing: float,
) -> Tensor:
    if task == "emotions":
        # Summed over labels: the mean over 28 mostly empty labels hardly moves the encoder.
        several = many_hot(targets, len(EMOTIONS)).to(head.device)
        losses = functional.binary_cross_entropy_with_logits(head, several, reduction="none")
        return losses.sum(dim=1).mean()
    single = torch.tensor([target[0] for target in targets], device=head.device)
    weight = None if class_weight is None else class_weight.to(head.device)
    if head.shape[1] == 1:  # the two classes of a yes-or-no head: logits 0 and z
        head = torch.cat([torch.zeros_like(head), head], dim=1)
    return functional.cross_entropy(head, single, weight=weight, label_smoothing=smoothing)


def many_hot(targets: Sequence[tuple[int, ...]], labels: int) -> Tensor:
    """(batch, labels), 1 where a label holds."""
    hot = torch.zeros(len(targets), labels)
    for row, target in enumerate(targets):
        hot[row, list(target)] = 1
    return hot


def balancing_weights(examples: Sequence[Example], classes: int, power: float) -> Tensor:
    """Class weights proportional to frequency^-power, with mean 1 over the examples.

    Power 0 keeps the training set's class shares, 1 makes every class count the same, which is
    what macro-recall rewards. A class without examples has weight 0.
    """
    counts = Counter(example.target[0] for example in examples)
    return class_weights([counts[label] for label in range(classes)], power)


def class_weights(counts: Sequence[int], power: float) -> Tensor:
    """The same from the classes' counts."""
    shares = torch.tensor(counts) / max(1, sum(counts))
    raw = torch.where(shares > 0, shares.clamp(min=1e-9).pow(-power), 0.0)
    return raw / (raw * shares).sum()


def contrastive_loss(
    text: Tensor, image: Tensor, log_scale: Tensor, same: Tensor | None = None
) -> Tensor:
    """InfoNCE in both directions over unit vectors; CLIP's form with several positives.

    loss = -mean_i log( sum_{j in P(i)} exp(s t_i v_j) / sum_j exp(s t_i v_j) ) and the same from
    image to text, with s the learned scale and P(i) the pairs that show i's image: a post that
    shares an image with i is no counterexample.

    Args:
        text: (batch, width).
        image: (batch, width).
        log_scale: log s.
        same: (batch, batch), true where two pairs show one image; by default each its own.
    """
    similarities = log_scale.exp() * text @ image.T
    if same is None:
        same = torch.eye(len(text), dtype=torch.bool, device=text.device)
    return (_towards(similarities, same) + _towards(similarities.T, same)) / 2


def _towards(similarities: Tensor, positive: Tensor) -> Tensor:
    matched = similarities.masked_fill(~positive, float("-inf")).logsumexp(dim=1)
    return (similarities.logsumexp(dim=1) - matched).mean()
