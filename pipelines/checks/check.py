"""The answer to one question about this machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """What was looked for, whether it is there, what was found and what to do about it.

    `required` says that a run cannot do without it; `remedy` is empty when all is well.
    """

    name: str
    ok: bool
    found: str
    remedy: str = ""
    required: bool = True
