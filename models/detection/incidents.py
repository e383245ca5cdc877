"""Incidents of one brand: a fold over its windows in event-time order, with hysteresis."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from models.detection.incident import Incident, recovery, silent_incident
from models.detection.kinds import MOODS, RANKS, kind_of, patience_of
from models.detection.lifecycle import Aftermath, Budget
from models.detection.mood_detector import MoodDetector, Rules
from models.detection.terms import learn_terms
from schemas.records import AlertKind, Signal, Trend


class Watch(msgspec.Struct, kw_only=True):
    """What is known of a brand after some windows: its detector, its open incident, its words.

    Learns windows in the order of their ends. Windows without posts are not sent; they are
    inferred from the distance to the last one, in bounded time however long that is. `pending`
    holds since when each signal has opened without a break.
    """

    detector: MoodDetector = msgspec.field(default_factory=MoodDetector)
    last_end: int | None = None
    incident: Incident | None = None
    quiet_until: int = 0
    quiet_rank: int = 0
    terms: dict[str, int] = {}
    pending: dict[str, int] = {}
    aftermath: Aftermath | None = None
    budget: Budget = msgspec.field(default_factory=Budget)

    def learn_one(self, trend: Trend, rules: Rules, period: int) -> list[Incident]:
        """Fold in the next window; returns the incidents that closed on the way."""
        end = epoch(trend.window_end)
        width = end - epoch(trend.window_start)
        closed = self._pass_empty(end, width, rules, period)
        departures = self.detector.look(trend, rules, overlap=width / period)
        signals = self.detector.judge(trend, departures)
        closed += self._follow(trend, signals, rules, period)
        closed += self._recover(trend, rules)
        self.detector.learn_one(trend, departures)
        if self.incident is None and end % width == 0:  # windows that do not overlap
            self.terms = learn_terms(self.terms, trend.terms)
        self.last_end = end
        return closed

    def close_if_idle(self, now: int, width: int, period: int) -> list[Incident]:
        """Close the open incident if windows without posts up to `now` have ended it."""
        if self.incident is None or self.last_end is None:
            return []
        due = self.idle_close(width, period)
        return [] if due is None or due > now else [self._close(due, width)]

    def idle_close(self, width: int, period: int) -> int | None:
        """When the open incident ends if nobody posts any more; None without one."""
        if self.incident is None or self.last_end is None:
            return None
        return self.last_end + period * (calm_to_close(width, period) - self.incident.calm_windows)

    def silent_from(self, width: int, rules: Rules, until: int | None = None) -> Incident | None:
        """The incident that opens if nobody posts up to `until`; None where that is usual."""
        if self.last_end is None or not width:
            return None
        score = rules.silence_score
        found = self.detector.rhythm.silent_at(self.last_end, until, width, score)
        return silent_incident(self.last_end, *found, rules) if found else None

    def _pass_empty(self, end: int, width: int, rules: Rules, period: int) -> list[Incident]:
        if self.last_end is None:
            return []
        gap = (end - self.last_end) // period - 1
        if gap > 0:
            self.pending = {}
        closed = self.close_if_idle(end - period, width, period)
        silence = self.silent_from(width, rules, until=end) if gap > 0 else None
        if silence is not None:
            silence.closed = end
            closed.append(silence)
        if self.incident is not None:
            self.incident.calm_windows += gap
        if gap * period > rules.forget_seconds:
            self.detector, self.terms = MoodDetector(), {}
        else:
            self.detector.learn_empty(gap)
        return closed

    def _follow(
        self, trend: Trend, signals: tuple[Signal, ...], rules: Rules, period: int
    ) -> list[Incident]:
        """Open, continue, escalate or close by the signals of one window."""
        end = epoch(trend.window_end)
        width = end - epoch(trend.window_start)
        opening = self._patient([s.name for s in signals if rules.opens(s)], end, width)
        holding = [s for s in signals if rules.holds(s)]
        kind = kind_of(opening, [signal.name for signal in holding])
        closed: list[Incident] = []
        if self.incident is not None and kind and RANKS[kind] > RANKS[self.incident.kind]:
            self.incident.grew_into = kind
            closed.append(self._close(end, width))
            self._open(kind, trend, holding, rules, before=closed[-1])
        elif self.incident is not None and self.incident.is_held_by(holding):
            self.incident.learn_one(trend, holding)
            if not rules.is_maintenance(end) and self.incident.muted == "maintenance":
                self.incident.muted = ""
        elif self.incident is not None:
            self.incident.calm_windows += 1
            if self.incident.calm_windows >= calm_to_close(width, period):
                closed.append(self._close(end, width))
        elif kind and not self._is_quiet(end, width, kind, rules):
            self._open(kind, trend, holding, rules)
        return closed

    def _patient(self, opening: list[str], end: int, width: int) -> list[str]:
        """The signals that have opened for as long as their kind asks for, without a break."""
        self.pending = {name: self.pending.get(name, end) for name in opening}
        return [n for n in opening if end - self.pending[n] >= patience_of(n) * width]

    def _open(
        self,
        kind: AlertKind,
        trend: Trend,
        signals: Iterable[Signal],
        rules: Rules,
        before: Incident | None = None,
    ) -> None:
        """Open an incident, `before` being the one that it grew out of."""
        start, end = epoch(trend.window_start), epoch(trend.window_end)
        opened = Incident(kind=kind, since=start, opened=end, last_hot=end)
        opened.usual_terms = dict(self.terms)
        opened.usual_negative = self._usual_negative(before)
        if rules.is_maintenance(end):
            opened.muted = "maintenance"
        elif not self.budget.admit(kind, end, rules.daily_budget):
            opened.muted = "budget"
        else:
            opened.folded = self.budget.take_folded()
        opened.learn_one(trend, signals)
        self.incident = opened
        if kind in MOODS:
            self.aftermath = None

    def _usual_negative(self, before: Incident | None) -> float:
        """The share of negative people before this incident, and those that it followed."""
        if before is not None and before.usual_negative is not None:
            return before.usual_negative
        return self.aftermath.usual if self.aftermath else self.detector.negativity.share

    def _close(self, end: int, width: int) -> Incident:
        assert self.incident is not None
        closed, self.incident = self.incident, None
        closed.closed = end
        self.quiet_until, self.quiet_rank = end + 2 * width, RANKS[closed.kind]
        self.pending = {}
        if closed.kind in MOODS or closed.kind == "sustained_decline":
            self.detector.decline.start_again()
        if closed.kind in MOODS and not closed.grew_into and closed.usual_negative is not None:
            self.aftermath = Aftermath(
                kind=closed.kind, closed=end, usual=closed.usual_negative, muted=closed.muted
            )
        return closed

    def _recover(self, trend: Trend, rules: Rules) -> list[Incident]:
        """The notice that the mood is back, once, in the window that shows it."""
        if self.aftermath is None:
            return []
        self.aftermath.learn_one(trend, rules.margin)
        told = self.aftermath.is_recovered
        notice = [recovery(self.aftermath, trend)] if told else []
        if told or self.aftermath.is_over(epoch(trend.window_end)):
            self.aftermath = None
        return notice

    def _is_quiet(self, end: int, width: int, kind: AlertKind, rules: Rules) -> bool:
        """Whether an incident as grave or graver closed less than the cool-down ago."""
        closed = self.quiet_until - 2 * width
        until = max(self.quiet_until, closed + rules.cool_down_seconds)
        return end <= until and RANKS[kind] <= self.quiet_rank


def alert_id(brand: str, incident: Incident) -> str:
    """Name of the incident: a hash of brand, kind and opening window, the same in every replay."""
    return hashed_id(brand, incident.kind, incident.since)


def hashed_id(*parts: str | int) -> str:
    """A name of 16 hexadecimal digits for what these parts tell from all else."""
    identity = "\x1f".join(map(str, parts)).encode()
    return hashlib.blake2b(identity, digest_size=8).hexdigest()


def calm_to_close(width: int, period: int) -> int:
    """Calm windows in a row that end an incident: until none of them overlaps a hot one."""
    return max(3, width // period)


def epoch(moment: datetime) -> int:
    """Whole seconds since 1970."""
    return int(moment.timestamp())


def moment_of(seconds: int) -> datetime:
    """The moment so many seconds after 1970 began."""
    return datetime.fromtimestamp(seconds, UTC)
