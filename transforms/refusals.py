"""How pure code of any stage says that it refuses a record, and why."""

from __future__ import annotations


class Refused(Exception):
    """A record that a stage does not take; it becomes a dead letter, never a crash.

    `cause` is one of a bounded set of names (it labels a metric), `detail` is for people, `stage`
    is the stage that refused.
    """

    def __init__(self, cause: str, detail: str, stage: str = "decode") -> None:
        super().__init__(cause, detail, stage)
        self.cause = cause
        self.detail = detail
        self.stage = stage

    def __str__(self) -> str:
        return f"{self.stage}: {self.cause}: {self.detail}"
