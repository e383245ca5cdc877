"""Beam counters that carry Prometheus names and labels, so one name serves both."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from apache_beam.metrics import Metrics

from schemas.metrics import Metric

NAMESPACE = "moodwire"


def sample_name(metric: Metric, **labels: str) -> str:
    """The Prometheus sample name of `metric` under `labels`, labels in declared order.

    Raises:
        ValueError: `labels` are not exactly those that the metric declares.
    """
    if set(labels) != set(metric.labels):
        raise ValueError(f"{metric.name} takes labels {metric.labels}, not {tuple(labels)}")
    if not labels:
        return metric.name
    pairs = ",".join(f'{name}="{labels[name]}"' for name in metric.labels)
    return f"{metric.name}{{{pairs}}}"


@lru_cache(maxsize=1024)
def gauge(metric: Metric, **labels: str) -> Any:
    """The Beam gauge of `metric` under `labels`; it holds an integer."""
    return Metrics.gauge(NAMESPACE, sample_name(metric, **labels))


@lru_cache(maxsize=1024)
def counter(metric: Metric, **labels: str) -> Any:
    """The Beam counter of `metric` under `labels`."""
    return Metrics.counter(NAMESPACE, sample_name(metric, **labels))
