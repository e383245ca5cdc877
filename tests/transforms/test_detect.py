import random
from typing import Any

import apache_beam as beam
import msgspec
import pytest

from schemas.records import Alert, Reading, Trend
from tests.builders import a_stream, angry, final_trends, for_brand
from tests.stages import bounded, records_of, streamed
from transforms.detect import DetectAlerts, is_watched
from transforms.trend import AggregateTrends

HOUR = 3600
LATENESS = 600
HISTORY = a_stream(HOUR, 4) + a_stream(400, 12, angry, start=0.7 * HOUR, seed=2)


class Watched(beam.PTransform):
    """Readings to alerts over 5-minute windows each minute."""

    def expand(self, pcoll: Any) -> Any:
        trends = (pcoll | AggregateTrends(300, 60, LATENESS, slices=())).trends
        return trends | DetectAlerts(60, LATENESS)


def alerts(source: Any, runner: str, *arguments: str) -> list[Alert]:
    """Alerts of readings in the order they came out."""
    return records_of(Alert, source, Watched(), runner, *arguments)


def by_arrival(readings: list[Reading], disorder: float) -> list[Reading]:
    rng = random.Random(8)
    return sorted(readings, key=lambda r: r.created_at.timestamp() + rng.uniform(0, disorder))


def finals(found: list[Alert]) -> list[Alert]:
    return sorted((a for a in found if a.final), key=lambda a: (a.brand, a.since, a.kind))


@pytest.fixture(scope="module")
def expected() -> list[Alert]:
    return finals(alerts(bounded(HISTORY), "FnApiRunner"))


def test_bounded_input_ends_with_every_incident_resolved(expected: list[Alert]) -> None:
    assert [a.kind for a in expected][-1] == "crisis"
    assert {a.status for a in expected} == {"resolved"}
    assert len({a.alert_id for a in expected}) == len(expected)


@pytest.mark.parametrize("disorder", [0, 550])
def test_streams_open_alerts_at_once_and_end_up_the_same(
    disorder: float, expected: list[Alert]
) -> None:
    found = alerts(streamed(by_arrival(HISTORY, disorder)), "BundleBasedDirectRunner")

    assert finals(found) == expected
    assert next(a for a in found if a.kind == "crisis").status == "firing"


def test_brands_are_watched_apart(expected: list[Alert]) -> None:
    both = HISTORY + for_brand(a_stream(HOUR, 4, seed=7), "Orion")

    assert finals(alerts(bounded(both), "FnApiRunner")) == expected


def test_early_panes_and_other_slices_are_not_watched() -> None:
    trend: Trend = final_trends(HISTORY[:20])[0]

    assert is_watched(trend)
    assert not is_watched(with_(trend, timing="early"))
    assert not is_watched(with_(trend, slice=trend.slice.__class__(lang="en")))


def with_(trend: Trend, **changes: Any) -> Trend:
    return msgspec.structs.replace(trend, **changes)
