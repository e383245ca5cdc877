"""Readings in, alerts out, as a run tells them: the product's windows and ledger without Beam."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from models.detection.incidents import epoch
from models.detection.mood_detector import rules_for
from pipelines.settings import Settings
from schemas.records import Alert, Reading, Trend
from transforms.ledger import Ledger, Terms
from transforms.playbooks import default_playbooks
from transforms.samples import samples_by_key
from transforms.tally import Tally
from transforms.windows import starts_of_windows

SHIPPED = Settings()
SIZE, PERIOD = SHIPPED.windows.size_seconds, SHIPPED.windows.period_seconds
LEAST_DECIDED = SHIPPED.alerts.min_posts
# Readings come in order here, so no window waits for late ones: each is folded once, for good.
TERMS = Terms(
    rules=msgspec.structs.replace(
        rules_for(
            SHIPPED.alerts.sensitivity,
            SHIPPED.alerts.min_posts,
            SHIPPED.alerts.min_authors,
            SHIPPED.alerts.warm_up_windows,
        ),
        cool_down_seconds=SHIPPED.alerts.cool_down_seconds,
        daily_budget=SHIPPED.alerts.daily_budget,
    ),
    playbooks=default_playbooks(),
    period=PERIOD,
    lateness=-1,
    is_live=True,
)


class Told(NamedTuple):
    """An alert when it was first told: its kind, and the end of the window that told it."""

    kind: str
    at: float


class Row(NamedTuple):
    """A window that overlaps no other, as other rules see it; `negative` where enough decided."""

    end: int
    posts: int
    negative: float | None


class Played(NamedTuple):
    """What came of a stream of readings, and when each was posted."""

    told: list[Told]
    rows: list[Row]
    posted: array[float]


class Player:
    """Windows and the ledger of one brand, driven by readings in the order of event time."""

    def __init__(self, brand: str) -> None:
        self.key = (brand, "*", "*", "*")
        self.ledger = Ledger(brand=brand)
        self.open: dict[int, Tally] = {}
        self.known: set[str] = set()
        self.told: list[Told] = []
        self.rows: list[Row] = []
        self.posted = array("d")

    def learn_one(self, reading: Reading) -> None:
        """Close the windows that end before this reading, then count it in those that hold it."""
        moment = reading.created_at.timestamp()
        self.close_until(moment)
        self.posted.append(moment)
        for _, sample in samples_by_key(reading, ()):
            for start in starts_of_windows(moment, SIZE, PERIOD):
                self.open.setdefault(start, Tally()).learn_one(sample)

    def close_until(self, moment: float) -> None:
        """Tell every window that has ended by then."""
        while self.open and (start := min(self.open)) + SIZE <= moment:
            tally = self.open.pop(start)
            self._fold(tally.trend(self.key, start, start + SIZE, "final"))

    def finish(self) -> Played:
        """Tell the windows that are left."""
        self.close_until(float("inf"))
        return Played(self.told, self.rows, self.posted)

    def _fold(self, trend: Trend) -> None:
        end = epoch(trend.window_end)
        self._look_at_silence(end)
        self.ledger.learn_one(trend)
        self._tell(self.ledger.advance(end, TERMS), end)
        if end % SIZE == 0:
            self._add_rows(trend, end)

    def _look_at_silence(self, end: int) -> None:
        """Ring the timer that the ledger set for windows without posts."""
        while (due := self.ledger.idle_at) is not None and due < end:
            self._tell(self.ledger.advance(due, TERMS), due)
            if self.ledger.idle_at == due:
                return

    def _tell(self, alerts: Iterable[Alert], at: float) -> None:
        for alert in alerts:
            if alert.alert_id not in self.known and not alert.muted:
                self.known.add(alert.alert_id)
                self.told.append(Told(alert.kind, at))

    def _add_rows(self, trend: Trend, end: int) -> None:
        last = self.rows[-1].end if self.rows else end - SIZE
        self.rows += [Row(empty, 0, None) for empty in range(last + SIZE, end, SIZE)]
        enough = trend.posts - trend.abstained >= LEAST_DECIDED
        share = 100 * trend.share_negative.mean if enough else None
        self.rows.append(Row(end, trend.posts, share))


def play(brand: str, readings: Iterable[Reading]) -> Played:
    """Alerts of the readings of one brand, and the windows that other rules see."""
    player = Player(brand)
    for reading in readings:
        player.learn_one(reading)
    return player.finish()
