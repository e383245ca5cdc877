"""One dashboard: its panels in reading order, and the alerts that stand on all of its charts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef

from dashboards.grafana.panels import SOURCE, Panel, variable
from schemas import metrics as m

TAG = "moodwire"
BRAND_VARIABLE = "$brand"
WORST = f"max by (brand, kind) ({m.ALERTS_FIRING.name})"
FIRING = f"{WORST} > 0"
OWN = DataSourceRef(type_val="grafana", uid="-- Grafana --")  # what Grafana keeps itself
MOST_TOLD = 200


@dataclass(frozen=True)
class Board:
    """One dashboard: its address, its title, its panels in reading order."""

    uid: str
    title: str
    about: str
    panels: tuple[Panel, ...]
    chooses_brand: bool = False
    since: str = "now-6h"

    def build(self) -> dict[str, Any]:
        """The dashboard's JSON, by Grafana's own model; the same at every call."""
        board = (
            dashboard.Dashboard(self.title)
            .uid(self.uid)
            .description(self.about)
            .tags([TAG])
            .refresh("30s")
            .time(self.since, "now")
            .timezone("browser")
            .editable()
            .annotation(alerts_on_charts(self.chooses_brand))
            .annotation(words_on_charts(self.chooses_brand))
        )
        if self.chooses_brand:
            brands = f"label_values({m.BRAND_POSTS.name}, brand)"
            board = board.with_variable(variable("brand", "Brand", brands))
        for number, panel in enumerate(self.panels, start=1):
            board = board.with_panel(panel.build().id(number))
        built: dict[str, Any] = json.loads(json.dumps(board.build(), cls=JSONEncoder))
        return built


def alerts_on_charts(of_one_brand: bool) -> dashboard.AnnotationQuery:
    """Every alert stands on every chart for as long as it fires."""
    of_brand = f"max by (brand, kind) ({of_chosen(m.ALERTS_FIRING)}) > 0"
    return (
        dashboard.AnnotationQuery()
        .name("Alerts")
        .datasource(SOURCE)
        .enable(True)
        .icon_color("red")
        .expr(of_brand if of_one_brand else FIRING)
    )


def words_on_charts(of_one_brand: bool) -> dashboard.AnnotationQuery:
    """What `moodwire dashboards annotate` wrote of them: in words, and for good."""
    target = (
        dashboard.AnnotationTarget()
        .type("tags")
        .tags([TAG, BRAND_VARIABLE] if of_one_brand else [TAG])
        .match_any(False)
        .limit(MOST_TOLD)
    )
    return (
        dashboard.AnnotationQuery()
        .name("Incidents")
        .datasource(OWN)
        .enable(True)
        .icon_color("orange")
        .type("tags")
        .target(target)
    )


def of_chosen(metric: m.Metric) -> str:
    """The metric of the brand that is chosen above the panels."""
    return f'{metric.name}{{brand="{BRAND_VARIABLE}"}}'


def rate(metric: m.Metric, by: str = "", window: str = "5m") -> str:
    """Events a second, over all or by a label."""
    total = f"sum by ({by}) " if by else "sum"
    return f"{total}(rate({metric.name}[{window}]))"


def quantile(share: float, metric: m.Metric, window: str = "5m") -> str:
    """The seconds that so many do not exceed."""
    buckets = f"sum by (le) (rate({metric.name}_bucket[{window}]))"
    return f"histogram_quantile({share:g}, {buckets})"


def micro(expr: str) -> str:
    """What is told in millionths, as a fraction."""
    return f"{expr} / 1e6"
