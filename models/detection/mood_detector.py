"""The online detector of one brand: its signals, each against the brand's own past."""

from __future__ import annotations

from typing import Literal

import msgspec

from models.detection.baselines import (
    CAPACITY,
    CountBaseline,
    Departure,
    LevelBaseline,
    ShareBaseline,
)
from models.detection.decline import DECLINE, Decline
from models.detection.echoes import CAMPAIGN, VIRAL, Echoes
from models.detection.emotion_levels import EMOTION, EmotionLevels
from models.detection.levels import FadingLevel
from models.detection.own_peaks import FLOOR, OwnPeaks
from models.detection.rhythm import Rhythm
from models.detection.windows import decided, end_of, standard_error, width_of
from schemas.records import Signal, Trend

Sensitivity = Literal["low", "medium", "high"]
VOLUME, NEGATIVITY, IMAGES = "volume", "share_negative", "image_valence"
UNTEMPERED = frozenset({DECLINE})  # evidence of many windows, not the surprise of one


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """When a departure is worth a person's attention.

    Scores are -log10 of the chance of a window (of a silence, of a decline); `lift` is the least
    factor over the usual number of posts; `margin` the least rise of a share or an emotion and the
    least fall of valence. A signal holds on down to half its opening score. `maintenance` holds
    spans of epoch seconds in which nobody is told; `daily_budget` is of one brand.
    """

    min_posts: int = 8
    min_authors: int = 4
    warm_up_windows: int = 12
    volume_score: float = 5.0
    mood_score: float = 3.5
    image_score: float = 3.0
    emotion_score: float = 4.0
    spread_score: float = 4.0
    decline_score: float = 6.0
    silence_score: float = 4.0
    lift: float = 2.0
    margin: float = 0.10
    image_gap: float = 0.20
    least_image_weight: float = 0.30
    forget_seconds: int = 7 * 24 * 3600
    cool_down_seconds: int = 0
    daily_budget: int | None = None
    maintenance: tuple[tuple[int, int], ...] = ()

    def opens(self, signal: Signal) -> bool:
        """Whether `signal` alone opens an incident."""
        return signal.score >= self.threshold(signal)

    def holds(self, signal: Signal) -> bool:
        """Whether `signal` keeps an incident open."""
        return signal.score >= self.threshold(signal) / 2

    def threshold(self, signal: Signal) -> float:
        """The opening score of `signal`."""
        if signal.name.startswith(EMOTION):
            return self.emotion_score
        scores = {
            VOLUME: self.volume_score,
            IMAGES: self.image_score,
            VIRAL: self.spread_score,
            CAMPAIGN: self.spread_score,
            DECLINE: self.decline_score,
        }
        return scores.get(signal.name, self.mood_score)

    def is_maintenance(self, moment: int) -> bool:
        """Whether nobody is to be told of what opens at that epoch second."""
        return any(start <= moment < end for start, end in self.maintenance)


def rules_for(
    sensitivity: Sensitivity, min_posts: int = 8, min_authors: int = 4, warm_up_windows: int = 12
) -> Rules:
    """The rules that one word and three numbers stand for."""
    volume_score, mood_score, lift, margin, stricter = {
        "low": (7.0, 5.0, 3.0, 0.15, 2.0),
        "medium": (5.0, 3.5, 2.0, 0.10, 0.0),
        "high": (3.0, 2.5, 1.5, 0.05, -1.0),
    }[sensitivity]
    return Rules(
        min_posts=min_posts,
        min_authors=min_authors,
        warm_up_windows=warm_up_windows,
        volume_score=volume_score,
        mood_score=mood_score,
        image_score=mood_score - 0.5,
        emotion_score=4.0 + stricter,
        spread_score=4.0 + stricter,
        decline_score=6.0 + stricter,
        silence_score=4.0 + stricter,
        lift=lift,
        margin=margin,
    )


class MoodDetector(msgspec.Struct):
    """Scores each window of a brand against its own past, then learns it.

    Volume and negativity count people rather than posts, so that one author shouting is no
    crowd. Scores point up: higher is more unusual. Until `warm_up_windows` windows were
    learned there are no signals at all; each part says how long it learns before it scores. The
    state is about two thousand numbers whatever the age of the brand.
    """

    volume: CountBaseline = msgspec.field(default_factory=CountBaseline)
    negativity: ShareBaseline = msgspec.field(default_factory=ShareBaseline)
    images: LevelBaseline = msgspec.field(default_factory=LevelBaseline)
    words: LevelBaseline = msgspec.field(default_factory=LevelBaseline)
    image_weights: FadingLevel = msgspec.field(default_factory=FadingLevel)
    learned: int = 0
    emotions: EmotionLevels = msgspec.field(default_factory=EmotionLevels)
    decline: Decline = msgspec.field(default_factory=Decline)
    echoes: Echoes = msgspec.field(default_factory=Echoes)
    rhythm: Rhythm = msgspec.field(default_factory=Rhythm)
    peaks: dict[str, OwnPeaks] = {}
    watched_since: int = 0

    def look(self, trend: Trend, rules: Rules, overlap: float = 1.0) -> dict[str, Departure]:
        """What stands out in `trend` at all, by signal; in most windows nothing does."""
        if self.learned < rules.warm_up_windows or trend.posts < rules.min_posts:
            return {}
        found = self._score_crowd(trend, rules, overlap)
        found[CAMPAIGN] = self.echoes.score_copies(trend, rules.min_posts, rules.margin)
        return {name: d for name, d in found.items() if d is not None and d.score > 0}

    def judge(self, trend: Trend, departures: dict[str, Departure]) -> tuple[Signal, ...]:
        """The departures as signals, each worth what it is among the brand's own peaks."""
        return tuple(
            Signal(
                name=name,
                value=departure.value,
                expected=departure.expected,
                score=self._worth(name, departure.score, trend),
            )
            for name, departure in departures.items()
        )

    def learn_one(self, trend: Trend, departures: dict[str, Departure]) -> None:
        """Make `trend`, and how it departed, part of what is usual."""
        self.learned += 1
        self._learn_peaks(trend, departures)
        self.volume.learn_one(trend.authors)
        voices = min(trend.authors, decided(trend))
        self.negativity.learn_one(min(trend.negative_authors, voices), voices)
        if trend.image_valence is not None and trend.posts_with_image >= 3:
            self.images.learn_one(trend.image_valence.mean, standard_error(trend.image_valence))
            self.image_weights.learn_one(trend.image_weight, 0.0, CAPACITY)
        if decided(trend) > trend.posts_with_image:
            self.words.learn_one(valence_of_words(trend), standard_error(trend.valence))
        self.emotions.learn_one(trend)
        self.decline.learn_one(trend)
        self.echoes.learn_one(trend)
        self.rhythm.learn_one(end_of(trend), width_of(trend), trend.authors)

    def learn_empty(self, windows: int) -> None:
        """Make that many windows without posts part of what is usual."""
        self.learned += windows
        self.volume.learn_empty(windows)

    def _worth(self, name: str, score: float, trend: Trend) -> float:
        known = self.peaks.get(name)
        return known.temper(score, end_of(trend), width_of(trend)) if known else score

    def _learn_peaks(self, trend: Trend, departures: dict[str, Departure]) -> None:
        end, width = end_of(trend), width_of(trend)
        self.watched_since = self.watched_since or end
        for name in sorted(departures.keys() - self.peaks.keys() - UNTEMPERED):
            if departures[name].score > FLOOR:
                self.peaks[name] = OwnPeaks(since=self.watched_since)
        for name, peaks in self.peaks.items():
            found = departures.get(name)
            peaks.learn_one(found.score if found else 0.0, end, width)

    def _score_crowd(
        self, trend: Trend, rules: Rules, overlap: float
    ) -> dict[str, Departure | None]:
        """What only counts where enough different people speak."""
        if trend.authors < rules.min_authors:
            return {}
        return {
            VOLUME: self._score_volume(trend, rules, overlap),
            NEGATIVITY: self._score_negativity(trend, rules),
            IMAGES: self._score_images(trend, rules),
            VIRAL: self.echoes.score_spread(trend, rules.min_posts, rules.margin),
            DECLINE: self.decline.score_one(trend),
            **self._score_emotions(trend, rules),
        }

    def _score_emotions(self, trend: Trend, rules: Rules) -> dict[str, Departure]:
        if decided(trend) < rules.min_posts:
            return {}
        return self.emotions.score_one(trend, rules.margin)

    def _score_volume(self, trend: Trend, rules: Rules, overlap: float) -> Departure | None:
        found = self.volume.score_one(trend.authors, overlap, self.rhythm.expect(end_of(trend)))
        return found if found.value >= rules.lift * found.expected else None

    def _score_negativity(self, trend: Trend, rules: Rules) -> Departure | None:
        if decided(trend) < rules.min_posts:
            return None
        voices = min(trend.authors, decided(trend))
        return self.negativity.score_one(min(trend.negative_authors, voices), voices, rules.margin)

    def _score_images(self, trend: Trend, rules: Rules) -> Departure | None:
        """Posts with images fell below their usual mood by more than words fell below theirs."""
        seen = trend.image_valence
        voices = trend.image_authors
        crowd = voices >= rules.min_posts and 2 * voices >= trend.posts_with_image
        if seen is None or not crowd or trend.image_weight < self._least_weight(rules):
            return None
        fall = self.images.expected - seen.mean
        fall_of_words = max(0.0, self.words.expected - valence_of_words(trend))
        if fall - fall_of_words < rules.image_gap:
            return None
        return self.images.score_one(seen.mean, standard_error(seen), rules.margin)

    def _least_weight(self, rules: Rules) -> float:
        """What images weigh at least where they lead: as usual, however the model weighs."""
        usual = self.image_weights
        return min(rules.least_image_weight, usual.mean) if usual.n else rules.least_image_weight


def valence_of_words(trend: Trend) -> float:
    """Mean valence of the posts without an image, 0 where every post has one.

    (n·v - k·v_image) / (n - k). Abstained posts are not known by kind, so k is bounded by n.
    """
    n, k = decided(trend), min(trend.posts_with_image, decided(trend))
    if n == k or trend.image_valence is None:
        return 0.0 if k else trend.valence.mean
    words = (n * trend.valence.mean - k * trend.image_valence.mean) / (n - k)
    return max(-1.0, min(1.0, words))
