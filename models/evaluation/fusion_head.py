"""The mood model's own fusion as a head for cross-validation, fitted anew on each fold."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence
from torch.optim import AdamW
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from models.calibration import Floats
from models.checkpoint import Checkpoint
from models.evaluation.features import PairFeatures
from models.evaluation.pooled import FitPredict, Rows
from models.mood_model import MoodModel

_AT_ONCE = 128
Batch = tuple[Tensor, Tensor, Tensor]  # tokens, their mask, patches


@dataclass(frozen=True)
class FusionFit:
    """How the fusion is fitted: AdamW, and a moving average of the weights stays.

    `image_only_share` of the pairs are read without their text (modality dropout).
    """

    epochs: int = 3
    batch_size: int = 64
    learning_rate: float = 5e-4
    weight_decay: float = 0.2
    averaging: float = 0.98
    image_only_share: float = 0.15


def fusion_head(
    checkpoint: Checkpoint, features: PairFeatures, seed: int, fit: FusionFit | None = None
) -> FitPredict:
    """Image path and fusion fitted to the sentiment of the rows of a fold.

    The text path is the checkpoint's and stays frozen; image path and fusion start from nothing,
    since the checkpoint's own have seen most of the pairs.
    """
    settings = fit or FusionFit()

    def fit_predict(fitted: Rows, read: Rows) -> Floats:
        torch.manual_seed(seed)
        mood = untrained_fusion(checkpoint.mood)
        return _read(fit_fusion(mood, features, fitted, settings, seed), features, read)

    return fit_predict


def untrained_fusion(trained: MoodModel) -> MoodModel:
    """A model with the text path of another and everything else as before any training.

    Only what a text-only post does not go through can be trained.
    """
    fresh = MoodModel(trained.config)
    kept = text_only_names(fresh)
    state = {name: value for name, value in trained.state_dict().items() if name in kept}
    fresh.load_state_dict(fresh.state_dict() | state)
    for name, parameter in fresh.named_parameters():
        parameter.requires_grad_(name not in kept)
    return fresh


def text_only_names(mood: MoodModel) -> set[str]:
    """Names of the parameters that the answers to a text-only post depend on: found by gradient."""
    mood.requires_grad_(True)
    tokens = torch.randn(1, 3, mood.config.text_width)
    answers = mood(tokens, torch.ones(1, 3, dtype=torch.bool)).logits
    torch.stack([logits.sum() for logits in answers.values()]).sum().backward()
    names = {name for name, one in mood.named_parameters() if one.grad is not None}
    mood.zero_grad(set_to_none=True)
    return names


def fit_fusion(
    mood: MoodModel, features: PairFeatures, rows: Rows, settings: FusionFit, seed: int
) -> MoodModel:
    """Fits what is not frozen to the sentiment of some pairs; returns the averaged model."""
    free = [parameter for parameter in mood.parameters() if parameter.requires_grad]
    optimizer = AdamW(free, lr=settings.learning_rate, weight_decay=settings.weight_decay)
    steps = settings.epochs * -(-len(rows) // settings.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.learning_rate, steps + 1)
    average = AveragedModel(mood, multi_avg_fn=get_ema_multi_avg_fn(settings.averaging))
    mood.train()
    for chosen in _batches(rows, settings, seed):
        tokens, mask, patches = _batch(features, chosen)
        hidden = torch.rand(len(chosen)) < settings.image_only_share
        found = mood(tokens, mask & ~hidden[:, None], patches, _all(patches)).logits["sentiment"]
        loss = functional.cross_entropy(found, torch.from_numpy(features.labels[chosen]))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(free, 1.0)
        optimizer.step()
        schedule.step()
        average.update_parameters(mood)
    mood.load_state_dict(average.module.state_dict())
    return mood.eval()


def _batches(rows: Rows, settings: FusionFit, seed: int) -> Iterator[Rows]:
    rng = np.random.default_rng(seed)
    for _ in range(settings.epochs):
        order = rng.permutation(rows)
        for start in range(0, len(order), settings.batch_size):
            yield order[start : start + settings.batch_size]


def _batch(features: PairFeatures, rows: Rows) -> Batch:
    chosen = [features.tokens[row] for row in rows]
    mask = pad_sequence([torch.ones(len(one), dtype=torch.bool) for one in chosen], True)
    return pad_sequence(chosen, True), mask, features.patches[rows].float()


def _all(patches: Tensor) -> Tensor:
    return torch.ones(patches.shape[:2], dtype=torch.bool)


@torch.inference_mode()
def _read(mood: MoodModel, features: PairFeatures, rows: Rows) -> Floats:
    found = []
    for start in range(0, len(rows), _AT_ONCE):
        tokens, mask, patches = _batch(features, rows[start : start + _AT_ONCE])
        output = mood(tokens, mask, patches, _all(patches))
        found.append(output.logits["sentiment"].double().softmax(dim=1))
    return np.asarray(torch.cat(found).numpy())
