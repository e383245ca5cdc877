"""Stage (a): fine-tuning of the text path on all text tasks at once."""

import copy
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
from models.training.features import digest
from models.training.loop import Loop, Run, build_optimizer
from models.training.losses import (
    balancing_weights,
    many_hot,
    probabilities_of_task,
    task_losses,
    taught_losses,
)
from models.training.mixture import Mixture
from models.training.progress import save_atomically
from models.training.settings import TextStageSettings
from models.training.validation import read_all, validate_text

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
    train = number_rows(train)
    validation = {task: tokenise(load_task(data, task, "validation"), tokenizer) for task in TASKS}
    if fresh:
        start_emotions_at_base_rate(model.mood, train["emotions"])
    answers = teach(model, settings, (train, validation), run) if settings.teachers else {}
    fit(model, TextStage(model, settings, (train, validation), run.seed, answers), run)


def fit(model: TextModel, stage: "TextStage", run: Run) -> None:
    """Runs a stage that was made for the model."""
    settings = stage.settings
    torch.manual_seed(run.seed)
    groups = [*layer_rates(model.encoder, settings), (model.mood, settings.learning_rate)]
    nn.ModuleList([model.encoder, model.mood]).to(run.machine.device)
    Loop(stage, settings, build_optimizer(groups, settings.weight_decay), run).run()
    merge_adapters(model.encoder)


def teach(
    model: TextModel, settings: TextStageSettings, parts: tuple[Parts, Parts], run: Run
) -> dict[str, Tensor]:
    """What teachers say of the training texts, probabilities by task, (texts, classes).

    A text has a label in one of the tasks. In the others it learns from the mean answer of models
    that were trained from the same start in another order (Hinton et al. 2015, Distilling the
    knowledge in a neural network; Clark et al. 2019, BAM!), which reads better than each of them.
    """
    sums: dict[str, Tensor] = {}
    for number in range(settings.teachers):
        own = replace(run, seed=run.seed + 1 + number)
        encoder, mood = copy.deepcopy(model.encoder), copy.deepcopy(model.mood)
        teacher = TextModel(model.tokenizer, encoder, mood)
        stage = TextStage(teacher, settings, parts, own.seed)
        stage.name = f"text-teacher-{number}"
        fit(teacher, stage, own)
        for task, said in _answers(teacher, parts[0], run, stage.name).items():
            sums[task] = sums.get(task, torch.zeros(())) + said.float() / settings.teachers
    return sums


def _answers(model: TextModel, train: Parts, run: Run, name: str) -> dict[str, Tensor]:
    """A teacher's answers, from the run's folder where an earlier start left them."""
    file = run.out / f"{name}-answers.pt"
    if not file.is_file():
        save_atomically(answer(model, [one for rows in train.values() for one in rows], run), file)
    found: dict[str, Tensor] = torch.load(file, weights_only=True)
    return found


def answer(model: TextModel, examples: Sequence[Example], run: Run) -> dict[str, Tensor]:
    """Probabilities by task, float16 (texts, classes), in the order of the examples."""
    model.encoder.eval()
    model.mood.eval()
    with run.machine.autocast():
        logits = read_all(model.logits, examples)
    return {task: probabilities_of_task(task, logits).half() for task in TASKS}


def number_rows(train: Parts) -> Parts:
    """The same examples, numbered over all tasks."""
    rows = itertools.count()
    return {task: [replace(one, row=next(rows)) for one in part] for task, part in train.items()}


class TextStage:
    """The text tasks as a stage of the loop."""

    def __init__(
        self,
        model: TextModel,
        settings: TextStageSettings,
        parts: tuple[Parts, Parts],
        seed: int,
        answers: dict[str, Tensor] | None = None,
    ) -> None:
        prepare_encoder(model.encoder, settings)
        self.name = "text"
        self.module = nn.ModuleList([model.encoder, model.mood])
        self.settings, self._answers = settings, answers or {}
        train, self._validation = parts
        self.data = digest(*(_digest_of(part) for part in parts))
        self._model = model
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
        """Sum over tasks of weight x share of the batch x mean loss, of labels and of teachers."""
        logits = self._model.logits(batch)
        labelled = task_losses(logits, batch, self._class_weights, self.settings.label_smoothing)
        taught = taught_losses(logits, batch, self._answers)
        weights = self.settings.loss_weights
        shares = {task: sum(one.task == task for one in batch) / len(batch) for task in TASKS}
        total = torch.stack([weights.get(t, 1.0) * shares[t] * labelled[t] for t in labelled]).sum()
        for task, loss in taught.items():
            weight = self.settings.teacher_weight * weights.get(task, 1.0)
            total = total + weight * (1 - shares[task]) * loss
        named = {f"taught_{task}": loss for task, loss in taught.items()}
        return {"loss": total, **labelled, **named}

    def validate(self) -> dict[str, float]:
        """The headline figure of every task; the score is their mean."""
        figures = validate_text(self._model.logits, self._validation)
        return {**figures, "score": float(np.mean(list(figures.values())))}


def _digest_of(part: Parts) -> bytes:
    read = [(one.text, one.target) for examples in part.values() for one in examples]
    return digest(repr(read).encode("utf-8", "surrogatepass"))


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
