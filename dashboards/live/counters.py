"""Counters and gauges of a run, by the names that `schemas.metrics` declares."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec

from schemas.metrics import (
    ALERTS,
    DEAD_LETTERS,
    DUPLICATES,
    EXPECTATIONS,
    MEDIA_FAULTS,
    METRICS,
    POSTS_CLEANED,
    POSTS_READ,
    READINGS,
    SINK_RETRIES,
    TRENDS,
    UNMATCHED,
    WATERMARK,
    Metric,
)

# The watermark is part of the run's state, and told from there.
DECLARED = {m.name: m for m in METRICS if m.kind in ("counter", "gauge") and m != WATERMARK}
_SAMPLE = re.compile(r"(?P<name>[a-z_]+)(?:\{(?P<labels>.*)\})?")
_LABEL = re.compile(r'(?P<name>[a-z_]+)="(?P<value>[^"]*)"')


class Sample(msgspec.Struct, frozen=True):
    """One counter or gauge: which metric, its label values in declared order, its value."""

    metric: Metric
    labels: tuple[str, ...]
    value: int

    def label(self, name: str) -> str:
        """The value of one label, empty where the metric has no such label."""
        return dict(zip(self.metric.labels, self.labels, strict=True)).get(name, "")


class Cause(msgspec.Struct, frozen=True):
    """How many records a stage refused, images it could not use or checks failed, for one cause."""

    stage: str
    cause: str
    count: int


class Reader(msgspec.Struct, frozen=True):
    """A model, and how many readings it made."""

    model: str
    readings: int


class Stages(msgspec.Struct, frozen=True, kw_only=True):
    """How many records passed each stage, and where the others went."""

    read: int = 0
    cleaned: int = 0
    readings: int = 0
    trends: int = 0
    alerts: int = 0
    duplicates: int = 0
    unmatched: int = 0
    late: int = 0  # windows that were told again after late posts
    sink_retries: int = 0
    dead_letters: tuple[Cause, ...] = ()
    media_faults: tuple[Cause, ...] = ()
    expectations: tuple[Cause, ...] = ()
    readers: tuple[Reader, ...] = ()


def parse_sample(name: str, value: object) -> Sample | None:
    """The sample that `name{label="v"}` stands for; None unless it is declared just so.

    >>> sample = parse_sample('moodwire_posts_cleaned_total{channel="x"}', 3)
    >>> sample.metric.name, sample.labels, sample.value
    ('moodwire_posts_cleaned_total', ('x',), 3)
    >>> parse_sample("something_else_total", 3) is None
    True
    """
    match = _SAMPLE.fullmatch(name)
    metric = DECLARED.get(match["name"]) if match else None
    if match is None or metric is None or not isinstance(value, int):
        return None
    labels = {part["name"]: part["value"] for part in _LABEL.finditer(match["labels"] or "")}
    if set(labels) != set(metric.labels):
        return None
    return Sample(metric, tuple(labels[name] for name in metric.labels), value)


def parse_samples(values: Mapping[str, object]) -> list[Sample]:
    """Every declared sample in `values`, in the order of their names."""
    samples = (parse_sample(name, values[name]) for name in sorted(values))
    return [sample for sample in samples if sample is not None]


def stages_of(samples: list[Sample]) -> Stages:
    """Totals per stage."""

    def total(metric: Metric) -> int:
        return sum(sample.value for sample in samples if sample.metric == metric)

    return Stages(
        read=total(POSTS_READ),
        cleaned=total(POSTS_CLEANED),
        readings=total(READINGS),
        trends=total(TRENDS),
        alerts=total(ALERTS),
        duplicates=total(DUPLICATES),
        unmatched=total(UNMATCHED),
        late=sum(s.value for s in samples if s.metric == TRENDS and s.label("timing") == "late"),
        sink_retries=total(SINK_RETRIES),
        dead_letters=_largest_first(_causes(samples, DEAD_LETTERS)),
        media_faults=_largest_first(_causes(samples, MEDIA_FAULTS)),
        expectations=_largest_first(_causes(samples, EXPECTATIONS, "expectation")),
        readers=_readers(samples),
    )


def _causes(samples: list[Sample], metric: Metric, cause: str = "cause") -> Iterator[Cause]:
    for sample in samples:
        if sample.metric == metric:
            yield Cause(sample.label("stage"), sample.label(cause), sample.value)


def _readers(samples: list[Sample]) -> tuple[Reader, ...]:
    counts: Counter[str] = Counter()
    for sample in samples:
        if sample.metric == READINGS:
            counts[sample.label("model")] += sample.value
    return tuple(Reader(*pair) for pair in counts.most_common())


def _largest_first(causes: Iterator[Cause]) -> tuple[Cause, ...]:
    return tuple(sorted(causes, key=lambda part: (-part.count, part.stage, part.cause)))
