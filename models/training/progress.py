"""Progress lines with the time left, and files that a kill cannot leave half-written."""

import os
import time
from pathlib import Path
from typing import Any

import torch


class Progress:
    """Prints how far a run is and how long it still takes, at most once in `every_seconds`."""

    def __init__(self, name: str, total: int, done: int = 0, every_seconds: float = 10) -> None:
        self._name, self._total, self._first = name, total, done
        self._every_seconds = every_seconds
        self._started = self._last = time.monotonic()

    def report(self, done: int, **figures: float) -> None:
        """Says where the run is; `figures` are printed behind it."""
        now = time.monotonic()
        if now - self._last < self._every_seconds and done < self._total:
            return
        self._last = now
        rate = max(done - self._first, 1) / max(now - self._started, 1e-9)
        left = (self._total - done) / rate / 60
        shown = " ".join(f"{name} {value:.4f}" for name, value in figures.items())
        print(f"{self._name} {done}/{self._total} {left:.1f} min left {shown}", flush=True)


def save_atomically(state: dict[str, Any], file: Path) -> None:
    """`torch.save` through a rename, so that the file is the old or the new one, whole."""
    partial = file.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, file)
