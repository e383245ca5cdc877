"""Prometheus metrics of a run, by the names that `schemas.metrics` declares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from dashboards.live.counters import Sample
from dashboards.live.histograms import Histogram
from dashboards.live.state import State
from dashboards.live.windows import Window
from schemas.metrics import (
    ALERTS_FIRING,
    BRAND_MOOD,
    BRAND_NEGATIVE,
    BRAND_POSTS,
    BRAND_VALENCE,
    LEFT_OUT,
    WATERMARK,
    Metric,
)

MAX_LABEL_SETS = 500  # of one metric; whatever is beyond is summed under "other"
MAX_BRANDS = 1000
FAMILIES: dict[str, type[CounterMetricFamily] | type[GaugeMetricFamily]] = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
}

Labelled = dict[tuple[str, ...], float]


def exposition(state: State) -> bytes:
    """The plain text that a scrape of `state` reads."""
    return generate_latest(_StateCollector(state))


def negotiated(state: State, accept: str) -> tuple[bytes, str]:
    """The same in the format that a scrape's `Accept` asks for, and that format's content type.

    OpenMetrics alone can tell of exemplars.
    """
    return encoded(_StateCollector(state), accept)


def encoded(collector: Collector, accept: str) -> tuple[bytes, str]:
    """What `collector` tells in the format that `accept` asks for, and that format's type."""
    encode, content_type = choose_encoder(accept)
    return encode(collector), content_type


class _StateCollector(Collector):
    def __init__(self, state: State) -> None:
        self.state = state

    def collect(self) -> Iterable[Family]:
        yield from _samples(self.state.samples)
        yield from _brands(self.state)
        yield family_of(ALERTS_FIRING, _severities(self.state))
        if self.state.run.watermark is not None:
            yield family_of(WATERMARK, {(): self.state.run.watermark})
        yield from map(_histogram, self.state.histograms)


def family_of(metric: Metric, values: Labelled) -> Family:
    """A counter or gauge with the value of each set of labels."""
    family = FAMILIES[metric.kind](metric.name, metric.help, labels=metric.labels)
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family


def _histogram(found: Histogram) -> HistogramMetricFamily:
    ends = [*map(str, found.metric.buckets), "+Inf"]
    buckets: list[tuple[str, float] | tuple[str, float, Exemplar]] = []
    for place, (end, count) in enumerate(zip(ends, accumulate(found.counts), strict=True)):
        known = found.exemplars.get(place)
        if known is None:
            buckets.append((end, count))
        else:
            buckets.append((end, count, Exemplar(known.labels, known.seconds, known.at)))
    family = HistogramMetricFamily(found.metric.name, found.metric.help)
    family.add_metric([], buckets, found.seconds)
    return family


def _samples(samples: list[Sample]) -> Iterator[Family]:
    """Counters and gauges as the run told them."""
    by_metric: dict[Metric, Labelled] = {}
    for sample in samples:
        values = by_metric.setdefault(sample.metric, {})
        full = len(values) >= MAX_LABEL_SETS and sample.labels not in values
        if full and sample.metric.kind == "gauge":
            continue  # a sum of gauges would say nothing
        labels = ("other",) * len(sample.labels) if full else sample.labels
        values[labels] = values.get(labels, 0) + sample.value
    for metric, values in by_metric.items():
        yield family_of(metric, values)


def _brands(state: State) -> Iterator[Family]:
    newest = [state.windows.newest_settled(brand) for brand in state.windows.brands()]
    settled = [window for window in newest if window]
    windows = settled[:MAX_BRANDS]
    yield family_of(BRAND_VALENCE, {(part.brand,): part.valence for part in windows})
    yield family_of(BRAND_NEGATIVE, {(part.brand,): part.negative for part in windows})
    yield family_of(BRAND_POSTS, {(part.brand,): part.posts for part in windows})
    yield family_of(BRAND_MOOD, dict(_moods(windows)))
    untold: Labelled = {
        ("brands",): len(settled) - len(windows),
        ("series",): state.windows.left_out,
    }
    yield family_of(LEFT_OUT, untold)


def _moods(windows: list[Window]) -> Iterator[tuple[tuple[str, ...], float]]:
    for window in windows:
        for emotion, (mean, _, _) in sorted(window.mood.items()):
            yield (window.brand, emotion), mean


def _severities(state: State) -> Labelled:
    """Severity of the worst firing alert of each brand and kind; 0 where all are over or muted."""
    worst: Labelled = {}
    for alert in state.alerts.values():
        severity = alert.severity if alert.status == "firing" and not alert.muted else 0
        key = (alert.brand, alert.kind)
        worst[key] = max(worst.get(key, 0), severity)
    return dict(sorted(worst.items()))
