"""A training loop that can be killed at any moment and goes on as if nothing had happened."""

import hashlib
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import msgspec
import torch
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from models.training.averaging import WeightAverage, copy_into, snapshot
from models.training.logs import Logs
from models.training.machine import Machine, Stepper
from models.training.progress import Progress, save_atomically
from models.training.settings import RunSettings, TrainingSettingsError


class Stage(Protocol):
    """What a stage trains, on which batches, and how it is judged."""

    name: str

    @property
    def data(self) -> bytes:
        """A hash of what is read in training and validation."""

    @property
    def module(self) -> nn.Module:
        """What is trained; only weights that require a gradient are kept and saved."""

    @property
    def steps(self) -> Sequence[int]:
        """Batches of each round."""

    def batches(self, round_: int) -> Sequence[Any]:
        """The batches of a round, `steps[round_]` of them; the same each time it is asked."""

    def loss(self, batch: Any) -> dict[str, Tensor]:
        """The `loss` of a batch and, for the log, what it is made of."""

    def validate(self) -> dict[str, float]:
        """Figures of the module as it is, among them the `score` that is to grow."""


@dataclass(frozen=True)
class Run:
    """Where a training run computes, keeps its states, and what its randomness starts from."""

    machine: Machine
    out: Path
    seed: int


@dataclass
class _Position:
    """Where a run is, and the best that it found."""

    step: int = 0
    validated: int = 0
    waited: int = 0
    best_score: float = float("-inf")
    best: dict[str, Tensor] = field(default_factory=dict)


class Loop:
    """Trains a stage round by round, validates the averaged weights, keeps the best.

    Guarantee: a run killed at any moment and started again ends with the same weights, bit by bit,
    as one that was not (same machine, threads and versions). The file `OUT/NAME.pt` is the old or
    the new state, whole; batches follow from seed and round, and the state holds everything else.
    """

    def __init__(self, stage: Stage, settings: RunSettings, optimizer: AdamW, run: Run) -> None:
        self._stage, self._settings = stage, settings
        self._machine, self._seed = run.machine, run.seed
        self._file, self._out = run.out / f"{stage.name}.pt", run.out
        self._ends = list(itertools.accumulate(stage.steps))
        self._optimizer, self._stepper = optimizer, Stepper(run.machine, optimizer)
        self._schedule = build_schedule(optimizer, self._ends[-1], settings.warmup_share)
        self._average = WeightAverage(stage.module, settings.averaging)
        self._at = _Position()

    def run(self) -> None:
        """Trains to the end; the module then has the best averaged weights.

        Raises:
            TrainingSettingsError: the folder holds the state of a run with other settings, seed or
                data, or the loss is no number any more.
        """
        self._resume()
        with Logs(self._out / "logs" / self._stage.name, self._at.step) as logs:
            progress = Progress(self._stage.name, self._ends[-1], self._at.step)
            while not self._is_over():
                self._train_round(progress, logs)
                self._validate(logs)
        copy_into(self._stage.module, self._at.best)

    def _is_over(self) -> bool:
        every_round = self._at.validated == len(self._ends)
        return every_round or self._at.waited >= self._settings.patience_rounds

    def _train_round(self, progress: Progress, logs: Logs) -> None:
        at, round_ = self._at, self._at.validated
        done = at.step - (self._ends[round_] - self._stage.steps[round_])
        if done == self._stage.steps[round_]:
            return  # killed between the last step and its validation
        for batch in self._stage.batches(round_)[done:]:
            self._stage.module.train()
            with self._machine.autocast():
                parts = self._stage.loss(batch)
            self._stepper.step(parts["loss"])
            self._schedule.step()
            self._average.update()
            at.step += 1
            figures = {name: value.item() for name, value in parts.items()}
            self._check_finite(figures["loss"])
            logs.step(at.step, figures, float(self._schedule.get_last_lr()[0]))
            progress.report(at.step, loss=figures["loss"])
            if at.step % self._settings.save_every_steps == 0:
                self._save()

    def _check_finite(self, loss: float) -> None:
        """A step whose gradients are scaled is left out where they overflow; others are for good.

        Raises:
            TrainingSettingsError: the loss is no number, so that the weights are none either.
        """
        if not (math.isfinite(loss) or self._stepper.scaler.is_enabled()):
            raise TrainingSettingsError(
                f"{self._stage.name}: the loss is {loss} at step {self._at.step}, training "
                "diverged; lower its `learning_rate` and start anew with --no-resume"
            )

    def _validate(self, logs: Logs) -> None:
        at = self._at
        self._stage.module.eval()
        with self._average.swapped_in(), torch.inference_mode(), self._machine.autocast():
            figures = self._stage.validate()
        at.validated, at.waited = at.validated + 1, at.waited + 1
        if figures["score"] > at.best_score:
            at.best_score, at.waited = figures["score"], 0
            at.best = {name: one.clone() for name, one in self._average.values.items()}
        shown = {name: round(value, 4) for name, value in figures.items()}
        print(f"{self._stage.name} round {at.validated}/{len(self._ends)}", shown, flush=True)
        logs.validation(at.step, figures)
        self._save()

    def _save(self) -> None:
        state = {
            "run": self._fingerprint(),
            "at": {name: value for name, value in vars(self._at).items() if name != "best"},
            "best": self._at.best,
            "weights": snapshot(self._stage.module),
            "average": self._average.values,
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "scaler": self._stepper.scaler.state_dict(),
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }
        save_atomically(state, self._file)

    def _resume(self) -> None:
        if not self._file.is_file():
            return
        state = torch.load(self._file, map_location=self._machine.device, weights_only=True)
        if state["run"] != self._fingerprint():
            raise TrainingSettingsError(
                f"{self._file} is of a run with other settings or data; name another --output, "
                "or start anew with --no-resume"
            )
        self._at = _Position(**state["at"], best=state["best"])
        copy_into(self._stage.module, state["weights"])
        self._average.values, self._average.steps = state["average"], self._at.step
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        self._stepper.scaler.load_state_dict(state["scaler"])
        torch.set_rng_state(state["random"].cpu())
        if torch.cuda.is_available():
            torch.cuda.set_rng_state_all([one.cpu() for one in state["random_cuda"]])
        print(f"{self._stage.name} goes on from step {self._at.step}", flush=True)

    def _fingerprint(self) -> str:
        shapes = {name: list(one.shape) for name, one in self._average.values.items()}
        settings = msgspec.to_builtins(self._settings)
        facts = [settings, self._seed, self._stage.data, self._ends, shapes]
        return hashlib.blake2b(msgspec.json.encode(facts), digest_size=16).hexdigest()


def build_optimizer(groups: Sequence[tuple[nn.Module, float]], weight_decay: float) -> AdamW:
    """AdamW over modules with learning rates of their own; no decay on biases and norms."""
    seen: set[int] = set()
    parts = []
    for module, rate in groups:
        trained = [one for one in module.parameters() if one.requires_grad and id(one) not in seen]
        seen |= {id(one) for one in trained}
        for decay, chosen in (
            (weight_decay, [one for one in trained if one.ndim > 1]),
            (0.0, [one for one in trained if one.ndim <= 1]),
        ):
            if chosen:
                parts.append({"params": chosen, "lr": rate, "weight_decay": decay})
    return AdamW(parts, fused=True)


def build_schedule(optimizer: AdamW, total: int, warmup_share: float) -> LambdaLR:
    """Linear warm-up, then linear decay to nothing."""
    warmup = max(1, int(total * warmup_share))

    def factor(step: int) -> float:
        return max(0.0, min((step + 1) / warmup, (total - step) / max(1, total - warmup)))

    return LambdaLR(optimizer, factor)
