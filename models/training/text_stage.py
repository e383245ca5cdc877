"""Stage (a): fine-tuning of the text path on all text tasks at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from models.labels import HEADS
from models.mood_model import MoodModel
from models.text_encoder import TextEncoder
from models.text_tokenizer import TextTokenizer
from models.training.adapters import add_adapters, merge_adapters
from models.training.data import TASKS, Example, load_task, pad, tokenise
from models.training.loop import Loop, Run, build_optimizer
from models.training.losses import balancing_weights, many_hot, task_losses
from models.training.mixture import Mixture
from models.training.settings import TextStageSettings
from models.training.validation import validate_text

Parts = dict[str, list[Example]]


@dataclass
class TextModel:
    """What stage (a) trains."""

    tokenizer: TextTokenizer
    encoder: TextEncoder
    mood: MoodModel

    def logits(self, batch: list[Example]) -> dict[str, Tensor]:
        """Logits by head for a batch of tokenised examples, on the model's device."""
        device = next(self.mood.parameters()).device
        ids, mask = pad([example.token_ids for example in batch])
        ids, mask = ids.to(device), mask.to(device)
        logits: dict[str, Tensor] = self.mood(self.encoder(ids, mask), mask).logits
        return logits


def train_text(
    model: TextModel, settings: TextStageSettings, data: Path, run: Run, *, fresh: bool = True
) -> None:
    """Trains in place; goes on from `text.pt` in the run's folder where that exists.

    A `fresh` mood model's emotions start at their base rates. Guarantee: the encoder has its usual
    form afterwards, adapters are merged.
    """
    tokenizer = TextTokenizer.from_tokenizer(model.tokenizer, settings.max_tokens)
    train = {task: tokenise(load_task(data, task, "train"), tokenizer) for task in TASKS}
    validation = {task: tokenise(load_task(data, task, "validation"), tokenizer) for task in TASKS}
    torch.manual_seed(run.seed)
    if fresh:
        start_emotions_at_base_rate(model.mood, train["emotions"])
    prepare_encoder(model.encoder, settings)
    nn.ModuleList([model.encoder, model.mood]).to(run.machine.device)
    stage = TextStage(model, settings, train, validation, run.seed)
    groups = [*layer_rates(model.encoder, settings), (model.mood, settings.learning_rate)]
    Loop(stage, settings, build_optimizer(groups, settings.weight_decay), run).run()
    merge_adapters(model.encoder)


class TextStage:
    """The text tasks as a stage of the loop."""

    name = "text"

    def __init__(
        self,
        model: TextModel,
        settings: TextStageSettings,
        train: Parts,
        validation: Parts,
        seed: int,
    ) -> None:
        self.module = nn.ModuleList([model.encoder, model.mood])
        self._model, self._settings, self._validation = model, settings, validation
        self._mixture = Mixture(train, settings, seed)
        self.steps = self._mixture.steps
        self._class_weights = {
            task: balancing_weights(train[task], classes_of(task), power)
            for task, power in settings.class_balance.items()
        }

    def batches(self, round_: int) -> Sequence[list[Example]]:
        """Batches of all tasks, mixed."""
        return self._mixture.batches(round_)

    def loss(self, batch: list[Example]) -> dict[str, Tensor]:
        """Sum over tasks of weight x share of the batch x mean loss."""
        logits = self._model.logits(batch)
        parts = task_losses(logits, batch, self._class_weights, self._settings.label_smoothing)
        weights = self._settings.loss_weights
        shares = {task: sum(one.task == task for one in batch) / len(batch) for task in parts}
        weighted = [weights.get(task, 1.0) * shares[task] * loss for task, loss in parts.items()]
        return {"loss": torch.stack(weighted).sum(), **parts}

    def validate(self) -> dict[str, float]:
        """The headline figure of every task; the score is their mean."""
        figures = validate_text(self._model.logits, self._validation)
        return {**figures, "score": float(np.mean(list(figures.values())))}


def classes_of(task: str) -> int:
    """How many classes a task with one label has."""
    return len(TASKS[task][1])


def prepare_encoder(encoder: TextEncoder, settings: TextStageSettings) -> None:
    """Sets dropout and decides what is trained: adapters, or all with or without word vectors."""
    for module in encoder.modules():
        if isinstance(module, nn.Dropout):
            module.p = settings.encoder_dropout
    if settings.adapters is not None:
        add_adapters(encoder, settings.adapters)
    elif not settings.train_word_vectors:
        cast(Any, encoder.backbone).get_input_embeddings().weight.requires_grad_(False)


def layer_rates(encoder: TextEncoder, settings: TextStageSettings) -> list[tuple[nn.Module, float]]:
    """Learning rates: `encoder_learning_rate` for the last layer, less for each layer below.

    The layers are the longest list of modules in the backbone; what lies outside of it learns as
    slowly as the first layer would if it had one below it.
    """
    rate = settings.encoder_learning_rate
    lists = [one for one in encoder.modules() if isinstance(one, nn.ModuleList)]
    layers = list(max(lists, key=len, default=[]))
    groups = [
        (layer, rate * settings.layer_decay ** (len(layers) - 1 - index))
        for index, layer in enumerate(layers)
    ]
    return [*groups, (encoder, rate * settings.layer_decay ** len(layers))]


def start_emotions_at_base_rate(mood: MoodModel, examples: list[Example]) -> None:
    """Sets the emotions' biases to their log odds, so that training need not find them first."""
    rates = many_hot([example.target for example in examples], HEADS["emotions"]).mean(dim=0)
    head = mood.heads["emotions"]
    assert isinstance(head, nn.Linear)
    with torch.no_grad():
        head.bias.copy_(rates.clamp(1e-4, 1 - 1e-4).logit())
