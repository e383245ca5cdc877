"""When a brand's mood leaves the usual: alerts that open at once and end up order-free."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import msgspec
from apache_beam.pvalue import PCollection
from apache_beam.transforms.timeutil import TimeDomain
from apache_beam.transforms.userstate import ReadModifyWriteStateSpec, TimerSpec, on_timer
from apache_beam.utils.timestamp import Timestamp

from models.detection.incidents import epoch
from models.detection.mood_detector import Sensitivity, rules_for
from schemas.metrics import ALERTS
from schemas.records import Alert, Slice, Trend
from transforms.coders import StructCoder
from transforms.counters import counter
from transforms.ledger import Ledger, Maintenance, Terms
from transforms.playbooks import Playbook, default_playbooks


def is_watched(trend: Trend) -> bool:
    """Whether alerts follow this pane: all posts of the brand, and the window has ended."""
    return trend.slice == Slice() and trend.timing != "early"


def by_brand(trend: Trend) -> tuple[str, Trend]:
    """The trend with the key of its alerts."""
    return trend.brand, trend


class _KeepLedger(beam.DoFn):
    """(brand, Trend) -> Alert states.

    A pane asks for a look once the watermark has passed its window, which for on-time and late
    panes is now; a final pane asks for a commit. Timers rather than the pane itself do the work,
    so that a burst of panes, or a whole bounded input, is folded once.
    """

    LEDGER = ReadModifyWriteStateSpec("ledger", StructCoder(Ledger, sort_keys=False))
    LOOK = TimerSpec("look", TimeDomain.WATERMARK)
    COMMIT = TimerSpec("commit", TimeDomain.WATERMARK)

    def __init__(self, terms: Terms) -> None:
        self.terms = terms

    def process(
        self,
        element: tuple[str, Trend],
        state: Any = beam.DoFn.StateParam(LEDGER),
        look: Any = beam.DoFn.TimerParam(LOOK),
        commit: Any = beam.DoFn.TimerParam(COMMIT),
    ) -> None:
        brand, trend = element
        ledger = state.read() or Ledger(brand=brand)
        ledger.learn_one(trend)
        state.write(ledger)
        if trend.final:
            set_timer(commit, ledger.next_commit(self.terms))
        else:
            set_timer(look, max(ledger.pending, default=epoch(trend.window_end)))

    @on_timer(LOOK)
    def look_again(
        self,
        now: Any = beam.DoFn.TimestampParam,
        state: Any = beam.DoFn.StateParam(LEDGER),
        look: Any = beam.DoFn.TimerParam(LOOK),
    ) -> Iterator[Alert]:
        ledger = state.read()
        yield from self._advance(ledger, now)
        state.write(ledger)
        set_timer(look, ledger.idle_at)

    @on_timer(COMMIT)
    def commit_finals(
        self,
        now: Any = beam.DoFn.TimestampParam,
        state: Any = beam.DoFn.StateParam(LEDGER),
        look: Any = beam.DoFn.TimerParam(LOOK),
        commit: Any = beam.DoFn.TimerParam(COMMIT),
    ) -> Iterator[Alert]:
        ledger = state.read()
        yield from self._advance(ledger, now)
        state.write(ledger)
        set_timer(commit, ledger.next_commit(self.terms))
        set_timer(look, ledger.idle_at)

    def _advance(self, ledger: Ledger, now: Timestamp) -> Iterator[Alert]:
        for alert in ledger.advance(now.seconds(), self.terms):
            counter(ALERTS, kind=alert.kind, status=alert.status).inc()
            yield alert


def set_timer(timer: Any, seconds: int | None) -> None:
    """Let it ring at that second; None leaves it as it is."""
    if seconds is not None:
        timer.set(Timestamp(seconds))


@dataclass
class DetectAlerts(beam.PTransform):
    """Trend -> Alert: incidents of each brand, told as soon as its windows say so.

    Alerts open, grow and close on the on-time and late panes of the slice of all posts. Late
    posts may change what was told, or withdraw it. A closed incident that no late post can change
    any more is told once as final; final alerts depend only on which posts came, not on their
    order. Learns `warm_up_windows` windows of a brand before it tells anything.

    Attributes:
        period_seconds: distance between windows, as the trends were made with.
        allowed_lateness_seconds: how late posts may come, as the trends were made with.
        sensitivity: how unlikely and large a departure must be to open an alert.
        min_posts: least posts of a window that can open an alert.
        min_authors: least distinct authors of such a window.
        warm_up_windows: windows to learn before the first alert.
        cool_down_seconds: after an incident, none as grave opens for so long; two windows at least.
        daily_budget: alerts of a brand told a day, crises not counted; None for no limit.
        maintenance: spans in which alerts are muted.
        is_live: whether the input has no end, so that silence is told while it lasts.
        playbooks: what to recommend; the playbooks that come with Moodwire unless given.
    """

    period_seconds: int
    allowed_lateness_seconds: float
    sensitivity: Sensitivity = "medium"
    min_posts: int = 8
    min_authors: int = 4
    warm_up_windows: int = 12
    cool_down_seconds: int = 0
    daily_budget: int | None = None
    maintenance: tuple[Maintenance, ...] = ()
    is_live: bool = False
    playbooks: tuple[Playbook, ...] | None = None

    def __post_init__(self) -> None:
        super().__init__()

    def expand(self, pcoll: PCollection[Trend]) -> PCollection[Alert]:
        """Wire the stage: the panes that alerts follow, by brand, into its ledger."""
        rules = rules_for(self.sensitivity, self.min_posts, self.min_authors, self.warm_up_windows)
        terms = Terms(
            rules=msgspec.structs.replace(
                rules, cool_down_seconds=self.cool_down_seconds, daily_budget=self.daily_budget
            ),
            playbooks=self.playbooks or default_playbooks(),
            period=self.period_seconds,
            lateness=math.ceil(self.allowed_lateness_seconds),
            maintenance=self.maintenance,
            is_live=self.is_live,
        )
        return (
            pcoll
            | "KeepWatched" >> beam.Filter(is_watched).with_output_types(Trend)
            | "KeyByBrand" >> beam.Map(by_brand).with_output_types(tuple[str, Trend])
            | "KeepLedger" >> beam.ParDo(_KeepLedger(terms)).with_output_types(Alert)
        )
