"""One incident: what it shows, how grave it is, and those that are told as they stand."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from models.detection.emotion_levels import EMOTION, group_of
from models.detection.evidence import gravest_emotion, widest, worst_posts
from models.detection.kinds import severity_of, sustains
from models.detection.lifecycle import Aftermath, step_of
from models.detection.mood_detector import IMAGES, NEGATIVITY, Rules
from models.detection.rhythm import SILENCE, silence_score
from models.detection.statistics import MAX_SCORE
from models.detection.terms import most_frequent
from models.detection.windows import end_of
from schemas.records import AlertKind, Exemplar, Signal, Trend

MAX_INCIDENT_TERMS = 120


class Incident(msgspec.Struct, kw_only=True):
    """One departure from the usual, from its first window to the window that closed it.

    Times are ends of windows in epoch seconds, but `since`, the start of the first. `grew_into`
    names the graver kind that took over, `after` what a recovery follows. `signals` are the
    strongest so far, by name. `muted` says why nobody is told: `maintenance`, `budget` or nothing.
    `usual_negative` is the share of negative people before it all began.
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
    opening_severity: int = 0
    echoed: Exemplar | None = None
    after: AlertKind | None = None
    muted: str = ""
    folded: int = 0
    usual_negative: float | None = None

    def learn_one(self, trend: Trend, signals: Iterable[Signal]) -> None:
        """Take in a window in which the incident goes on."""
        self.hot_windows += 1
        self.calm_windows = 0
        self.last_hot = end_of(trend)
        self._learn_signals(signals, trend)
        if trend.posts >= self.posts:
            self.posts, self.authors = trend.posts, trend.authors
            self.share_negative = trend.share_negative.mean
            self.emotion = self._risen() or gravest_emotion(trend)
        self.reach = max(self.reach, trend.reach)
        self.worst = worst_posts([*self.worst, *trend.exemplars])
        pictures = (post for post in trend.exemplars if post.thumbnail)
        self.pictured = worst_posts([*self.pictured, *pictures])
        self.terms = most_frequent(widest(self.terms, trend.terms), MAX_INCIDENT_TERMS)
        own, hot = self.own_signals(), self.hot_windows
        self.severity = max(self.severity, severity_of(self.kind, own, hot, self.reach))
        if self.hot_windows == 1:
            self.opening_severity = self.severity

    @property
    def is_escalated(self) -> bool:
        """Whether its severity has crossed a step since it opened."""
        return step_of(self.severity) > step_of(self.opening_severity or self.severity)

    def is_held_by(self, signals: Iterable[Signal]) -> bool:
        """Whether one of the signals keeps it open."""
        return any(sustains(self.kind, signal.name) for signal in signals)

    def own_signals(self) -> list[Signal]:
        """The signals that make it what it is, by name."""
        return [s for name, s in sorted(self.signals.items()) if sustains(self.kind, name)]

    def _learn_signals(self, signals: Iterable[Signal], trend: Trend) -> None:
        for signal in signals:
            known = self.signals.get(signal.name)
            if known is None or signal.score > known.score:
                self.signals[signal.name] = signal
                if trend.echo is not None and self.kind in {"viral_post", "coordinated_campaign"}:
                    self.echoed = trend.echo.exemplar or self.echoed
            self.led_by_images |= signal.name == IMAGES

    def _risen(self) -> str | None:
        """The emotion that an emotion shift is about."""
        risen = {name: s for name, s in self.signals.items() if name.startswith(EMOTION)}
        if self.kind != "emotion_shift" or not risen:
            return None
        return group_of(min(risen, key=lambda name: (-risen[name].score, name)))


def silent_incident(last_end: int, opened: int, missing: float, rules: Rules) -> Incident:
    """Nobody has posted since `last_end` where `missing` people were expected by `opened`."""
    score = min(MAX_SCORE, silence_score(missing))
    signal = Signal(name=SILENCE, value=0.0, expected=round(missing, 1), score=score)
    incident = Incident(kind="feed_silent", since=last_end, opened=opened, last_hot=opened)
    incident.signals = {SILENCE: signal}
    incident.severity = incident.opening_severity = severity_of("feed_silent", [signal], 0, 0)
    incident.muted = "maintenance" if rules.is_maintenance(opened) else ""
    return incident


def recovery(aftermath: Aftermath, trend: Trend) -> Incident:
    """The mood is back in the window of `trend`: an incident that is over as it opens."""
    end = end_of(trend)
    share = round(aftermath.hits / max(1, aftermath.people), 4)
    notice = Incident(kind="recovery", since=aftermath.closed, opened=end, last_hot=end)
    notice.closed, notice.after, notice.muted = end, aftermath.kind, aftermath.muted
    notice.opening_severity = notice.severity
    notice.posts, notice.authors, notice.share_negative = trend.posts, trend.authors, share
    notice.emotion = gravest_emotion(trend)
    usual = round(aftermath.usual, 4)
    notice.signals = {
        NEGATIVITY: Signal(name=NEGATIVITY, value=share, expected=usual, score=aftermath.score)
    }
    return notice
