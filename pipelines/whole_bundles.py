"""Bundles that Prism cannot cut in two, since it loses what it cuts off."""

from __future__ import annotations

from typing import Any

from apache_beam.runners.worker.bundle_processor import DataInputOperation


def keep_bundles_whole() -> None:
    """Let this process, where embedded runners have their workers, refuse to split a bundle.

    Prism 2.77 asks for a split whenever a bundle makes no progress between two looks, and puts
    the rest of a keyed, stateful stage back where keyed elements are never picked up again:
    elements are lost without a word (docs/decisions/0006). Readers of ours stop by themselves
    often enough that nothing needs a split.
    """
    DataInputOperation.try_split = _refuse  # type: ignore[method-assign]


def _refuse(*_: Any, **__: Any) -> None:
    return None
