"""Incidents of one brand: a fold over its windows in event-time order, with hysteresis."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from models.detection.mood_detector import IMAGES, NEGATIVITY, VOLUME, MoodDetector, Rules
from models.detection.terms import most_frequent
from schemas.records import AlertKind, Exemplar, Signal, Trend

RANKS: dict[AlertKind, int] = {
    "volume_spike": 1,
    "negativity_surge": 2,
    "image_led_crisis": 3,
    "crisis": 4,
}
MAX_EVIDENCE = 5
MAX_INCIDENT_TERMS = 120
MAX_BASELINE_TERMS = 400
MAX_BASELINE_COUNT = 20_000


class Incident(msgspec.Struct, kw_only=True):
    """One departure from the usual, from its first window to the window that closed it.

    Times are ends of windows in epoch seconds, but `since`, the start of the first. `grew_into`
    names the graver kind that took over. `signals` are the strongest so far, by name.
    """

    kind: AlertKind
    since: int
    opened: int
    last_hot: int
    closed: int | None = None
    grew_into: AlertKind | None = None
    calm_windows: int = 0
    hot_windows: int = 0
    severity: int = 1
    posts: int = 0
    authors: int = 0
    reach: int = 0
    share_negative: float = 0.0
    led_by_images: bool = False
    emotion: str = "neutral"
    signals: dict[str, Signal] = {}
    worst: list[Exemplar] = []
    pictured: list[Exemplar] = []
    terms: dict[str, int] = {}
    usual_terms: dict[str, int] = {}

    def learn_one(self, trend: Trend, signals: Iterable[Signal]) -> None:
        """Take in a window in which the incident goes on."""
        self.hot_windows += 1
        self.calm_windows = 0
        self.last_hot = epoch(trend.window_end)
        self._learn_signals(signals)
        if trend.posts >= self.posts:
            self.posts, self.authors = trend.posts, trend.authors
            self.share_negative = trend.share_negative.mean
            self.emotion = gravest_emotion(trend)
        self.reach = max(self.reach, trend.reach)
        self.worst = worst_posts([*self.worst, *trend.exemplars])
        pictures = (post for post in trend.exemplars if post.thumbnail)
        self.pictured = worst_posts([*self.pictured, *pictures])
        self.terms = most_frequent(_widest(self.terms, trend.terms), MAX_INCIDENT_TERMS)
        self.severity = max(self.severity, self._severity())

    def _learn_signals(self, signals: Iterable[Signal]) -> None:
        for signal in signals:
            known = self.signals.get(signal.name)
            if known is None or signal.score > known.score:
                self.signals[signal.name] = signal
            self.led_by_images |= signal.name == IMAGES

    def _severity(self) -> int:
        """1 to 10: how unlikely, how large, how persistent, how far it reaches; all from facts.

        1 + 2.5·rarity + 2.5·size + 1.5·persistence + 1.5·reach, and 2 more where several signals
        hold together. Many posts alone may be good news: at most 6.
        """
        rarity = min(1.0, max(s.score for s in self.signals.values()) / 15)
        size = max(size_of(s) for s in self.signals.values())
        persistence = min(1.0, self.hot_windows / 15)
        reach = min(1.0, math.log10(1 + self.reach) / 7)
        total = 1 + 2.5 * (rarity + size) + 1.5 * (persistence + reach)
        total += 2 * (self.kind == "crisis")
        return min(6 if self.kind == "volume_spike" else 10, round(total))


class Watch(msgspec.Struct, kw_only=True):
    """What is known of a brand after some windows: its detector, its open incident, its words.

    Learns windows in the order of their ends. Windows without posts are not sent; they are
    inferred from the distance to the last one, in constant time however long that is.
    """

    detector: MoodDetector = msgspec.field(default_factory=MoodDetector)
    last_end: int | None = None
    incident: Incident | None = None
    quiet_until: int = 0
    quiet_rank: int = 0
    terms: dict[str, int] = {}

    def learn_one(self, trend: Trend, rules: Rules, period: int) -> list[Incident]:
        """Fold in the next window; returns the incidents that closed on the way."""
        end = epoch(trend.window_end)
        width = end - epoch(trend.window_start)
        closed = self._pass_empty(end, width, rules, period)
        signals = self.detector.score_one(trend, rules, overlap=width / period)
        closed += self._follow(trend, signals, rules, period)
        self.detector.learn_one(trend)
        if self.incident is None and end % width == 0:  # windows that do not overlap
            self._learn_terms(trend.terms)
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

    def _pass_empty(self, end: int, width: int, rules: Rules, period: int) -> list[Incident]:
        if self.last_end is None:
            return []
        gap = (end - self.last_end) // period - 1
        closed = self.close_if_idle(end - period, width, period)
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
        kind = kind_of([s.name for s in signals if rules.opens(s)])
        holding = [s for s in signals if rules.holds(s)]
        closed: list[Incident] = []
        if self.incident is not None and kind and RANKS[kind] > RANKS[self.incident.kind]:
            self.incident.grew_into = kind
            closed.append(self._close(end, width))
            self._open(kind, trend, holding)
        elif self.incident is not None and holding:
            self.incident.learn_one(trend, holding)
        elif self.incident is not None:
            self.incident.calm_windows += 1
            if self.incident.calm_windows >= calm_to_close(width, period):
                closed.append(self._close(end, width))
        elif kind and not self._is_quiet(end, kind):
            self._open(kind, trend, holding)
        return closed

    def _open(self, kind: AlertKind, trend: Trend, signals: Iterable[Signal]) -> None:
        start, end = epoch(trend.window_start), epoch(trend.window_end)
        self.incident = Incident(kind=kind, since=start, opened=end, last_hot=end)
        self.incident.usual_terms = dict(self.terms)
        self.incident.learn_one(trend, signals)

    def _close(self, end: int, width: int) -> Incident:
        assert self.incident is not None
        closed, self.incident = self.incident, None
        closed.closed = end
        self.quiet_until, self.quiet_rank = end + 2 * width, RANKS[closed.kind]
        return closed

    def _is_quiet(self, end: int, kind: AlertKind) -> bool:
        """Whether an incident as grave or graver closed less than two windows' width ago."""
        return end <= self.quiet_until and RANKS[kind] <= self.quiet_rank

    def _learn_terms(self, terms: Mapping[str, int]) -> None:
        for term, count in terms.items():
            self.terms[term] = self.terms.get(term, 0) + count
        if sum(self.terms.values()) > MAX_BASELINE_COUNT:
            self.terms = {term: count // 2 for term, count in self.terms.items() if count > 1}
        self.terms = most_frequent(self.terms, MAX_BASELINE_TERMS)


def alert_id(brand: str, incident: Incident) -> str:
    """Name of the incident: a hash of brand, kind and opening window, the same in every replay."""
    identity = f"{brand}\x1f{incident.kind}\x1f{incident.since}".encode()
    return hashlib.blake2b(identity, digest_size=8).hexdigest()


def kind_of(open_signals: list[str]) -> AlertKind | None:
    """The kind that signals amount to: a crisis is a crowd that came for something bad."""
    bad = {NEGATIVITY, IMAGES} & set(open_signals)
    if VOLUME in open_signals:
        return "crisis" if bad else "volume_spike"
    if IMAGES in bad:
        return "image_led_crisis"
    return "negativity_surge" if bad else None


def size_of(signal: Signal) -> float:
    """How large a departure is in [0, 1]: sixteen times the posts, 60 points more of negative."""
    if signal.name == VOLUME:
        return min(1.0, max(0.0, math.log2(signal.value / signal.expected) / 4))
    return min(1.0, abs(signal.value - signal.expected) / 0.6)


def worst_posts(posts: Iterable[Exemplar]) -> list[Exemplar]:
    """The most negative posts, each text and image once; ties by channel and post id."""
    ranked = sorted(posts, key=lambda p: (p.valence, -p.reach, p.channel, p.post_id))
    firsts: dict[tuple[str, str | None], Exemplar] = {}
    for post in ranked:
        firsts.setdefault((post.text, post.thumbnail), post)
    return list(firsts.values())[:MAX_EVIDENCE]


def gravest_emotion(trend: Trend) -> str:
    """The strongest emotion group of a window other than neutral."""
    moods = {group: mood.mean for group, mood in trend.mood.items() if group != "neutral"}
    return min(moods, key=lambda group: (-moods[group], group), default="neutral")


def calm_to_close(width: int, period: int) -> int:
    """Calm windows in a row that end an incident: until none of them overlaps a hot one."""
    return max(3, width // period)


def epoch(moment: datetime) -> int:
    """Whole seconds since 1970."""
    return int(moment.timestamp())


def _widest(known: Mapping[str, int], seen: Mapping[str, int]) -> dict[str, int]:
    """The larger count of each term: windows overlap, so that their sum would count posts twice."""
    return {term: max(known.get(term, 0), seen.get(term, 0)) for term in {**known, **seen}}
