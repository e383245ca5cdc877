import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from models.training.loop import Loop, Run, build_optimizer
from models.training.machine import Machine
from models.training.settings import RunSettings, TrainingSettingsError

CPU = Machine(torch.device("cpu"), torch.float32)


class LineStage:
    """Fits y = 2x with a line and dropout, so that random numbers count."""

    name = "line"
    data = b"a line"

    def __init__(self, rounds: int = 3, scores: Sequence[float] = (), slow: float = 0.0) -> None:
        torch.manual_seed(3)
        self.module = nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 1))
        self.steps = [20] * rounds
        self._scores, self._slow, self.seen = list(scores), slow, 0

    def batches(self, round_: int) -> Sequence[Tensor]:
        generator = torch.Generator().manual_seed(round_)
        return [torch.randn(8, 4, generator=generator) for _ in range(20)]

    def loss(self, batch: Tensor) -> dict[str, Tensor]:
        self.seen += 1
        time.sleep(self._slow)
        wanted = 2 * batch.sum(dim=1, keepdim=True)
        return {"loss": (self.module(batch) - wanted).square().mean()}

    def validate(self) -> dict[str, float]:
        if self._scores:
            return {"score": self._scores.pop(0)}
        return {"score": -float(self.loss(torch.ones(2, 4))["loss"])}


def fit(stage: LineStage, out: Path, seed: int = 1, **settings: object) -> list[float]:
    """Trains and returns the weights."""
    chosen = RunSettings(**{"save_every_steps": 7, "averaging": 0.9, **settings})  # type: ignore[arg-type]
    optimizer = build_optimizer([(stage.module, chosen.learning_rate)], chosen.weight_decay)
    Loop(stage, chosen, optimizer, Run(CPU, out, seed)).run()
    return [value for one in stage.module.parameters() for value in one.flatten().tolist()]


def test_a_killed_run_ends_with_the_same_bits_as_one_that_was_not(tmp_path: Path) -> None:
    whole = fit(LineStage(), tmp_path / "whole")
    killed = tmp_path / "killed"
    code = (
        "from pathlib import Path; import torch; torch.set_num_threads(1)\n"
        "from tests.models.training.test_loop import LineStage, fit\n"
        f"fit(LineStage(slow=0.05), Path({str(killed)!r}))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while not (killed / "line.pt").exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    stage = LineStage()

    resumed = fit(stage, killed)

    assert 0 < stage.seen < 60  # it went on from somewhere in the middle
    assert resumed == whole


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    first, again = LineStage(), LineStage()
    weights = fit(first, tmp_path)

    assert fit(again, tmp_path) == weights
    assert again.seen == 0


def test_a_state_of_other_settings_is_refused(tmp_path: Path) -> None:
    fit(LineStage(), tmp_path)

    with pytest.raises(TrainingSettingsError, match=r"line\.pt is of a run with other settings"):
        fit(LineStage(), tmp_path, learning_rate=0.1)


def test_a_state_of_another_seed_is_refused(tmp_path: Path) -> None:
    fit(LineStage(), tmp_path)

    with pytest.raises(TrainingSettingsError, match=r"line\.pt is of a run with other settings"):
        fit(LineStage(), tmp_path, seed=2)


def test_a_state_of_other_data_is_refused(tmp_path: Path) -> None:
    fit(LineStage(), tmp_path)
    other = LineStage()
    other.data = b"another line"

    with pytest.raises(TrainingSettingsError, match=r"line\.pt is of a run with other .* data"):
        fit(other, tmp_path)


def test_a_run_that_diverges_stops_and_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(TrainingSettingsError, match=r"line: the loss is .* `learning_rate`"):
        fit(LineStage(), tmp_path, learning_rate=1e30)


def test_training_ends_early_and_the_best_weights_stay(tmp_path: Path) -> None:
    one_round = fit(LineStage(1, [1.0]), tmp_path / "one", warmup_share=1.0, learning_rate=1e-9)
    stage = LineStage(6, [5.0, 4.0, 3.0, 9.0, 9.0, 9.0])

    best = fit(stage, tmp_path / "early", patience_rounds=2, warmup_share=1.0, learning_rate=1e-9)

    assert stage.seen == 3 * 20  # two rounds without a gain
    assert best == pytest.approx(one_round, abs=1e-6)


def test_it_learns(tmp_path: Path) -> None:
    weights = fit(LineStage(20), tmp_path, learning_rate=0.1, averaging=0.0, patience_rounds=20)

    # Dropout of a half doubles what it keeps, so the least squares are at half of the truth.
    assert weights[:4] == pytest.approx([1.0] * 4, abs=0.3)


def test_losses_and_figures_are_there_for_tensorboard(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    fit(LineStage(), tmp_path)
    events = EventAccumulator(str(tmp_path / "logs/line"))
    events.Reload()

    assert {"train/loss", "train/learning_rate", "validation/score"} <= set(
        events.Tags()["scalars"]
    )
    assert [one.step for one in events.Scalars("validation/score")] == [20, 40, 60]


def test_a_run_that_goes_on_leaves_no_gap_in_the_curves(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    fit(LineStage(), tmp_path)
    fit(LineStage(), tmp_path)
    events = EventAccumulator(str(tmp_path / "logs/line"))
    events.Reload()

    assert [one.step for one in events.Scalars("validation/score")] == [20, 40, 60]
    assert [one.step for one in events.Scalars("train/loss")] == [10, 20, 30, 40, 50, 60]
