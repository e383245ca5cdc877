"""What TensorBoard shows of a run: `tensorboard --logdir OUT/logs`."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

_EVERY_STEPS = 10


class Logs:
    """Losses, learning rate and validation figures of a stage; use it as a context manager.

    What a killed run wrote after its last save is taken back, so a resumed run has one curve.
    """

    def __init__(self, folder: Path, done_steps: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(folder, purge_step=done_steps + 1 if done_steps else None)

    def __enter__(self) -> "Logs":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()

    def step(self, step: int, figures: Mapping[str, float], learning_rate: float) -> None:
        """Losses after a step, written every ten."""
        if step % _EVERY_STEPS == 0:
            for name, value in figures.items():
                self._writer.add_scalar(f"train/{name}", value, step)
            self._writer.add_scalar("train/learning_rate", learning_rate, step)

    def validation(self, step: int, figures: Mapping[str, float]) -> None:
        """Figures of a validation."""
        for name, value in figures.items():
            self._writer.add_scalar(f"validation/{name}", value, step)
        self._writer.flush()
