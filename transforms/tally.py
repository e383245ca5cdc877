"""Everything a trend knows about its window, as sums and sets that ignore the order of arrival."""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from models.detection.incidents import moment_of
from models.detection.repeats import THOUSAND, Repeats
from models.detection.sketches import DistinctSketch
from models.detection.statistics import MICRO, Moment, share_estimate
from models.detection.terms import count_terms
from schemas.emotions import GROUPS
from schemas.records import Estimate, Exemplar, PaneTiming, Rollup, Slice, Trend
from transforms.echo import MAX_DRAWN, Draw, Shown, draw_of, echo_of, keep_drawn, keep_shown
from transforms.samples import Key, Sample

MAX_EXEMPLARS = 5
LEAST_EXEMPLARS_WITH_IMAGE = 2
MAX_SAMPLED_POSTS = 64
SUMS = (
    "posts",
    "abstained",
    "reach",
    "negative",
    "weight",
    "weighted_valence",
    "posts_with_image",
    "image_weight",
)
T = TypeVar("T", bound=Trend)
SKETCHES = ("authors", "clusters", "negative_authors", "image_authors")


class Candidate(msgspec.Struct, frozen=True, array_like=True):
    """A post that may stand for its window, and the cluster of near-duplicates it stands for."""

    cluster: str
    abstained: bool
    exemplar: Exemplar

    @property
    def rank(self) -> tuple[bool, float, int, str, str]:
        """Sort key: decided before abstained, most negative, widest reach, then identity."""
        post = self.exemplar
        return self.abstained, post.valence, -post.reach, post.channel, post.post_id


def keep_worst(candidates: Iterable[Candidate]) -> list[Candidate]:
    """The five most negative posts, one of each cluster.

    Exact although it forgets: five better clusters only ever get better, so a post dropped once
    could not have come back.
    """
    kept: dict[str, Candidate] = {}
    for candidate in sorted(candidates, key=lambda c: c.rank):
        kept.setdefault(candidate.cluster, candidate)
    return list(kept.values())[:MAX_EXEMPLARS]


class Tally(msgspec.Struct, kw_only=True):
    """Mergeable aggregate of the samples of one window; `closed` once its on-time pane was told.

    Every part is a sum of integers, a set-like sketch or a bounded choice by a total order, so
    `learn_one` and `merge` give the same tally in any order (commutative and associative).
    """

    posts: int = 0
    abstained: int = 0
    reach: int = 0
    negative: int = 0
    weight: int = 0
    weighted_valence: int = 0
    valence: Moment = msgspec.field(default_factory=Moment)
    mood: list[Moment] = msgspec.field(default_factory=lambda: [Moment() for _ in GROUPS])
    posts_with_image: int = 0
    image_weight: int = 0
    image_valence: Moment = msgspec.field(default_factory=Moment)
    authors: DistinctSketch = msgspec.field(default_factory=DistinctSketch)
    clusters: DistinctSketch = msgspec.field(default_factory=DistinctSketch)
    negative_authors: DistinctSketch = msgspec.field(default_factory=DistinctSketch)
    image_authors: DistinctSketch = msgspec.field(default_factory=DistinctSketch)
    repeats: Repeats = msgspec.field(default_factory=Repeats)
    image_repeats: Repeats = msgspec.field(default_factory=Repeats)
    models: dict[str, int] = {}
    worst: list[Candidate] = []
    worst_with_image: list[Candidate] = []
    sampled: list[tuple[int, tuple[str, ...]]] = []
    closed: bool = False
    drawn: list[Draw] = []
    shown: list[Shown] = []

    def learn_one(self, sample: Sample) -> None:
        """Add one sample."""
        self.posts += 1
        self.reach += sample.reach
        self.models[sample.model] = self.models.get(sample.model, 0) + 1
        self.authors.learn_one(sample.author)
        self.clusters.learn_one(sample.cluster)
        if sample.has_image:
            self._learn_image(sample)
        if sample.abstained:
            self.abstained += 1
        else:
            self._learn_mood(sample)
        if sample.exemplar is not None:
            self._learn_detail(sample, sample.exemplar)

    def _learn_image(self, sample: Sample) -> None:
        self.posts_with_image += 1
        self.image_weight += sample.image_weight
        self.image_authors.learn_one(sample.author)
        if not sample.abstained:
            self.image_valence.learn_one(sample.valence)
            self.image_repeats.learn_one(sample.author, sample.cluster, _thousandths(sample)[1:2])

    def _learn_mood(self, sample: Sample) -> None:
        if sample.negative:
            self.negative += 1
            self.negative_authors.learn_one(sample.author)
        self.weight += 1 + sample.reach
        self.weighted_valence += (1 + sample.reach) * sample.valence
        self.repeats.learn_one(sample.author, sample.cluster, _thousandths(sample))
        self.valence.learn_one(sample.valence)
        for moment, value in zip(self.mood, sample.mood, strict=True):
            moment.learn_one(value)

    def _learn_detail(self, sample: Sample, exemplar: Exemplar) -> None:
        candidate = Candidate(sample.cluster, sample.abstained, exemplar)
        self.worst = keep_worst([*self.worst, candidate])
        if sample.has_image:
            pictured = Candidate(_with_image(sample, exemplar), sample.abstained, exemplar)
            self.worst_with_image = keep_worst([*self.worst_with_image, pictured])
        bisect.insort(self.sampled, (sample.priority, sample.terms))
        del self.sampled[MAX_SAMPLED_POSTS:]
        draw = draw_of(sample)
        keep_drawn(self.drawn, draw)
        self.shown = keep_shown([*self.shown, (*draw[:2], exemplar)])

    def merge(self, other: Tally) -> None:
        """Add everything that `other` learned."""
        for name in SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.valence.merge(other.valence)
        self.image_valence.merge(other.image_valence)
        for mine, theirs in zip(self.mood, other.mood, strict=True):
            mine.merge(theirs)
        self.repeats.merge(other.repeats)
        self.image_repeats.merge(other.image_repeats)
        for name in SKETCHES:
            getattr(self, name).merge(getattr(other, name))
        self.models = dict(Counter(self.models) + Counter(other.models))
        self.worst = keep_worst([*self.worst, *other.worst])
        self.worst_with_image = keep_worst([*self.worst_with_image, *other.worst_with_image])
        self.sampled = sorted([*self.sampled, *other.sampled])[:MAX_SAMPLED_POSTS]
        self.drawn = sorted([*self.drawn, *other.drawn])[:MAX_DRAWN]
        self.shown = keep_shown([*self.shown, *other.shown])

    @property
    def exemplars(self) -> tuple[Exemplar, ...]:
        """The most negative posts, with at least two that hold an image where there are."""
        pictured = self.worst_with_image[:LEAST_EXEMPLARS_WITH_IMAGE]
        chosen = {c.rank: c for c in pictured}
        for candidate in [*self.worst, *self.worst_with_image]:
            if len(chosen) < MAX_EXEMPLARS:
                chosen.setdefault(candidate.rank, candidate)
        return tuple(c.exemplar for c in sorted(chosen.values(), key=lambda c: c.rank))

    def trend(self, key: Key, start: int, end: int, timing: PaneTiming) -> Trend:
        """The trend that this tally amounts to, for the window [start, end) in epoch seconds."""
        return self._told_as(Trend, key, start, end, timing)

    def rollup(self, key: Key, start: int, end: int, timing: PaneTiming) -> Rollup:
        """The same as the roll-up of a long window."""
        return self._told_as(Rollup, key, start, end, timing)

    def _told_as(self, kind: type[T], key: Key, start: int, end: int, timing: PaneTiming) -> T:
        brand, *part = key
        decided = self.posts - self.abstained
        share_worth, valence_worth, *mood_worths = self._worths(decided)
        return kind(
            brand=brand,
            slice=Slice(*part),
            window_start=moment_of(start),
            window_end=moment_of(end),
            pane_index=self.posts,
            timing=timing,
            final=timing == "final",
            posts=self.posts,
            authors=min(self.authors.count, self.posts),
            clusters=min(self.clusters.count, self.posts),
            posts_with_image=self.posts_with_image,
            abstained=self.abstained,
            reach=self.reach,
            valence=self.valence.estimate(valence_worth, -1.0, 1.0),
            valence_reach_weighted=_ratio(self.weighted_valence, self.weight),
            image_valence=self._image_estimate(),
            share_negative=share_estimate(self.negative, decided, share_worth),
            mood={
                group: moment.estimate(worth, 0.0, 1.0)
                for group, moment, worth in zip(GROUPS, self.mood, mood_worths, strict=True)
            },
            image_weight=_ratio(self.image_weight, self.posts_with_image),
            exemplars=self.exemplars,
            model=min(self.models, key=lambda name: (-self.models[name], name), default=""),
            terms=count_terms(terms for _, terms in self.sampled),
            negative_authors=min(self.negative_authors.count, self.negative),
            image_authors=min(self.image_authors.count, self.posts_with_image),
            echo=echo_of(self.drawn, self.shown, self.posts),
        )

    def _worths(self, decided: int) -> list[float]:
        """How many independent posts share, valence and each mood are worth."""
        share = self.negative / decided if decided else 0.0
        variances = [share * (1 - share), self.valence.variance, *(m.variance for m in self.mood)]
        return self.repeats.worth(decided, variances)

    def _image_estimate(self) -> Estimate | None:
        seen = self.image_valence
        if seen.n == 0:
            return None
        worth = self.image_repeats.worth(seen.n, [seen.variance])[0]
        return seen.estimate(worth, -1.0, 1.0)


def _with_image(sample: Sample, exemplar: Exemplar) -> str:
    """Cluster of a post with an image: the same words under another image are another post."""
    return f"{sample.cluster} {exemplar.thumbnail}"


def _thousandths(sample: Sample) -> list[int]:
    """What voices are compared by: whether negative, valence, moods."""
    values = (sample.negative * MICRO, sample.valence, *sample.mood)
    return [round(value / THOUSAND) for value in values]


def _ratio(total: int, n: int) -> float:
    """Mean of `total` millionths over `n`, 0 where there is nothing to average."""
    return round(total / (n * MICRO), 6) if n else 0.0


def encode_tally(tally: Tally) -> bytes:
    """MessagePack bytes of a tally; equal tallies give equal bytes."""
    return msgspec.msgpack.encode(tally, enc_hook=_encode_sketch, order="deterministic")


def decode_tally(data: bytes) -> Tally:
    """The tally that `encode_tally` wrote."""
    return msgspec.msgpack.decode(data, type=Tally, dec_hook=_decode_sketch)


def _encode_sketch(value: Any) -> bytes:
    if isinstance(value, DistinctSketch):
        return value.to_bytes()
    raise NotImplementedError(f"a tally cannot hold {type(value).__name__}")


def _decode_sketch(kind: type, value: Any) -> Any:
    return DistinctSketch.from_bytes(value)
