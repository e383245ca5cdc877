"""Labelled windows of a series, as the Numenta Anomaly Benchmark writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.backtest.rows import BacktestError, parse_time

FORM = 'Write {"counts.csv": [["2026-11-25 08:00:00", "2026-11-25 20:00:00"]]}, or the list alone'


class Window(NamedTuple):
    """A labelled stretch, both ends included, in epoch seconds."""

    start: int
    end: int

    def holds(self, time: int) -> bool:
        """Whether that moment lies in it."""
        return self.start <= time <= self.end


def read_windows(path: Path, series: str) -> tuple[Window, ...]:
    """The windows of the series with that file name, in order of time.

    Raises:
        BacktestError: no such file, not the expected form, or none for that series.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BacktestError(f"--windows {path}: cannot be read as JSON: {error}. {FORM}") from error
    if isinstance(found, dict):
        if series not in found:
            named = ", ".join(map(str, found))[:160] or "nothing"
            raise BacktestError(f"--windows {path}: names {named}, not {series}. {FORM}")
        found = found[series]
    return tuple(sorted(_window(pair, path) for pair in _list(found, path)))


def _list(found: Any, path: Path) -> list[Any]:
    if not isinstance(found, list):
        raise BacktestError(f"--windows {path}: holds no list of windows. {FORM}")
    return found


def _window(pair: Any, path: Path) -> Window:
    try:
        start, end = (parse_time(text) for text in pair)
    except (TypeError, ValueError) as error:
        raise BacktestError(f"--windows {path}: `{pair}` is no window. {FORM}") from error
    if end < start:
        raise BacktestError(f"--windows {path}: `{pair}` ends before it starts. {FORM}")
    return Window(start, end)
