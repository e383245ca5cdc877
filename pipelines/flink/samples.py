"""Moodwire's own counters, found again among the metrics of a Flink job."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipelines.flink.rest import FlinkRest
from schemas import metrics
from transforms.counters import NAMESPACE

# Flink puts the operator before Beam's "namespace_name" and turns dots and commas into "_".
_OURS = re.compile(rf"\.{NAMESPACE}_(?P<name>{NAMESPACE}_[a-z_]+)(?:\{{(?P<labels>.*)\}})?$")
_LABEL = re.compile(r'([a-z]+)="([^"]*)"')
_KINDS = {
    value.name: value.kind for value in vars(metrics).values() if isinstance(value, metrics.Metric)
}


def sample_of(flink_name: str) -> str | None:
    """Our sample name in a Flink metric's, None where it is none of ours.

    >>> sample_of('0.[7]{Read}.moodwire_moodwire_readings_total{channel="x"_model="m-2026_11"}')
    'moodwire_readings_total{channel="x",model="m-2026_11"}'
    """
    match = _OURS.search(flink_name)
    if match is None or match["name"] not in _KINDS:
        return None
    labels = ",".join(f'{name}="{value}"' for name, value in _LABEL.findall(match["labels"] or ""))
    return f"{match['name']}{{{labels}}}" if labels else match["name"]


def counters_of(rest: FlinkRest, job_id: str) -> dict[str, int]:
    """Counters summed over subtasks since the job was last started, gauges at their highest."""
    return merge(rest.samples(job_id, lambda name: sample_of(name) is not None))


def merge(samples: Mapping[str, tuple[float, float]]) -> dict[str, int]:
    """Our samples from (sum, highest) by Flink name."""
    merged: dict[str, int] = {}
    for flink_name, (total, highest) in samples.items():
        name = sample_of(flink_name) or flink_name
        if _KINDS.get(metrics.metric_of(name)) == "gauge":
            merged[name] = max(merged.get(name, 0), int(highest))
        else:
            merged[name] = merged.get(name, 0) + int(total)
    return merged
