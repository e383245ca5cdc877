"""Stage (a): full fine-tuning of the text path on all text tasks at once."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from models.labels import HEADS
from models.mood_model import MoodModel, MoodModelConfig
from models.text_encoder import TextEncoder, TextTokenizer
from models.training.data import TASKS, Example, length_batches, load_task, pad, tokenise
from models.training.losses import balancing_weights, many_hot, task_loss
from models.training.progress import Progress, save_atomically
from models.training.settings import TextStageSettings, TrainingSettings
from models.training.validation import validate_text


@dataclass
class TextModel:
    """What stage (a) trains."""

    tokenizer: TextTokenizer
    encoder: TextEncoder
    mood: MoodModel

    def logits(self, batch: list[Example]) -> dict[str, Tensor]:
        """Logits by head for a batch of tokenised examples."""
        ids, mask = pad([example.token_ids for example in batch])
        # On CPU the fused attention's backward pass is five times slower in bf16 than the plain.
        with torch.autocast("cpu", dtype=torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
            logits: dict[str, Tensor] = self.mood(self.encoder(ids, mask), mask).logits
        return logits


def build_text_model(settings: TrainingSettings, image_width: int, max_tokens: int) -> TextModel:
    """The pretrained encoder and a fresh mood model."""
    torch.manual_seed(settings.seed)
    encoder = TextEncoder.from_name(settings.text_encoder)
    make_cheap_to_train(encoder)
    config = MoodModelConfig(
        text_width=encoder.width,
        image_width=image_width,
        joint_width=settings.joint_width,
        fusion_score=settings.fusion_score,
    )
    tokenizer = TextTokenizer.from_name(settings.text_encoder, max_tokens)
    return TextModel(tokenizer, encoder, MoodModel(config))


def make_cheap_to_train(encoder: TextEncoder) -> None:
    """Freezes the word vectors (half of the weights) and drops dropout: a third faster on CPU."""
    cast(Any, encoder.backbone).get_input_embeddings().weight.requires_grad_(False)
    for module in encoder.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0


def train_text(
    model: TextModel, settings: TextStageSettings, data: Path, out: Path, seed: int
) -> None:
    """Trains in place; goes on from `out/text_stage.pt` where that exists."""
    train = {task: tokenise(load_task(data, task, "train"), model.tokenizer) for task in TASKS}
    validation = {
        task: tokenise(load_task(data, task, "validation"), model.tokenizer) for task in TASKS
    }
    _start_emotions_at_base_rate(model.mood, train["emotions"])
    run = _TextRun(model, settings, train, out / "text_stage.pt", seed)
    run.resume()
    for epoch in run.epochs():
        print(f"text epoch {epoch}", validate_text(model.logits, validation), flush=True)


class _TextRun:
    """State of one run: optimiser, schedule, position."""

    def __init__(
        self,
        model: TextModel,
        settings: TextStageSettings,
        train: dict[str, list[Example]],
        file: Path,
        seed: int,
    ) -> None:
        self._model, self._settings, self._file, self._seed = model, settings, file, seed
        self._examples = [
            example for task, rows in train.items() for example in rows * settings.repeats[task]
        ]
        self._class_weights = {
            "sentiment": balancing_weights(
                train["sentiment"], HEADS["sentiment"], settings.class_balance
            ),
            "tweet_emotion": balancing_weights(train["tweet_emotion"], 4, settings.class_balance),
        }
        self._steps_per_epoch = -(-len(self._examples) // settings.batch_size)
        self._total = int(self._steps_per_epoch * settings.epochs)
        self._parts = nn.ModuleList([model.encoder, model.mood])
        self._optimizer = build_optimizer(
            model.encoder, model.mood, settings.encoder_learning_rate, settings
        )
        self._schedule = build_schedule(self._optimizer, self._total, settings.warmup_share)
        self._step = 0

    def resume(self) -> None:
        if not self._file.is_file():
            return
        state = torch.load(self._file, weights_only=True)
        self._parts.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["random"])
        self._step = state["step"]
        print(f"text stage goes on from step {self._step}", flush=True)

    def epochs(self) -> Iterator[int]:
        """Trains epoch by epoch, yielding the number of each finished one."""
        progress = Progress("text", self._total, self._step)
        while self._step < self._total:
            epoch, done = divmod(self._step, self._steps_per_epoch)
            order = random.Random(self._seed + epoch)
            batches = length_batches(self._examples, self._settings.batch_size, order)
            for index, batch in enumerate(batches):
                if index >= done and self._step < self._total:
                    progress.report(self._step + 1, loss=self._train_step(batch))
            yield epoch

    def _train_step(self, batch: list[Example]) -> float:
        self._parts.train()
        logits = self._model.logits(batch)
        loss = task_loss(logits, batch, self._settings.loss_weights, self._class_weights)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self._parts.parameters(), 1.0)
        self._optimizer.step()
        self._schedule.step()
        self._step += 1
        if self._step % self._settings.save_every_steps == 0 or self._step == self._total:
            self._save()
        return loss.item()

    def _save(self) -> None:
        state = {
            "model": self._parts.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "random": torch.get_rng_state(),
            "step": self._step,
        }
        save_atomically(state, self._file)


def build_optimizer(
    encoder: nn.Module, mood: nn.Module, encoder_rate: float, settings: TextStageSettings
) -> AdamW:
    """AdamW with a slower rate for the pretrained part and no decay on biases and norms."""
    groups = [
        {"params": parameters, "lr": rate, "weight_decay": decay}
        for module, rate in ((encoder, encoder_rate), (mood, settings.learning_rate))
        for decay, parameters in _by_decay(module, settings.weight_decay).items()
    ]
    return AdamW(groups, fused=True)


def _by_decay(module: nn.Module, decay: float) -> dict[float, list[nn.Parameter]]:
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    return {
        decay: [parameter for parameter in trained if parameter.ndim > 1],
        0.0: [parameter for parameter in trained if parameter.ndim <= 1],
    }


def build_schedule(optimizer: AdamW, total: int, warmup_share: float) -> LambdaLR:
    """Linear warm-up, then linear decay to nothing."""
    warmup = max(1, int(total * warmup_share))

    def factor(step: int) -> float:
        return min((step + 1) / warmup, (total - step) / max(1, total - warmup))

    return LambdaLR(optimizer, factor)


def _start_emotions_at_base_rate(mood: MoodModel, examples: list[Example]) -> None:
    rates = many_hot([example.target for example in examples], HEADS["emotions"]).mean(dim=0)
    head = mood.heads["emotions"]
    assert isinstance(head, nn.Linear)
    with torch.no_grad():
        head.bias.copy_(rates.logit())
