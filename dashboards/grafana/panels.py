"""Panels with one look: a question, its answer in PromQL, its unit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models.dashboard import DataSourceRef, VariableRefresh

SOURCE = DataSourceRef(type_val="prometheus", uid="moodwire-prometheus")
LINE_HEIGHT, NUMBER_HEIGHT = 8, 4


@dataclass(frozen=True)
class Question:
    """A PromQL expression, what its series are called, and whether posts that stand for it show."""

    expr: str
    legend: str = ""
    exemplars: bool = False


@dataclass(frozen=True)
class Panel:
    """What a panel shows.

    Attributes:
        title: the question it answers, in a reader's words.
        questions: its series.
        kind: `lines` over time, or the newest `number`.
        unit: a unit of Grafana, such as `percentunit`, `reqps`, `short`, `s`.
        width: of the 24 columns.
        bounds: least and highest of the axis, where they are known.
        about: what a rise or a fall means.
    """

    title: str
    questions: tuple[Question, ...]
    kind: Literal["lines", "number"] = "lines"
    unit: str = "short"
    width: int = 12
    bounds: tuple[float | None, float | None] = field(default=(None, None))
    about: str = ""

    def build(self) -> timeseries.Panel | stat.Panel:
        """The panel as Grafana's SDK builds it."""
        if self.kind == "number":
            panel: Any = stat.Panel().height(NUMBER_HEIGHT)
        else:
            legend = (
                common.VizLegendOptions()
                .display_mode(common_models.LegendDisplayMode.LIST)
                .placement(common_models.LegendPlacement.BOTTOM)
                .show_legend(True)
            )
            panel = timeseries.Panel().height(LINE_HEIGHT).legend(legend).line_width(2)
        panel = panel.title(self.title).datasource(SOURCE).unit(self.unit).span(self.width)
        panel = panel.description(self.about)
        low, high = self.bounds
        panel = panel.min(low) if low is not None else panel
        panel = panel.max(high) if high is not None else panel
        for number, question in enumerate(self.questions):
            panel = panel.with_target(_target(question, number))
        return panel  # type: ignore[no-any-return]


def _target(question: Question, number: int) -> prometheus.Dataquery:
    target = (
        prometheus.Dataquery()
        .datasource(SOURCE)
        .expr(question.expr)
        .legend_format(question.legend)
        .ref_id(chr(ord("A") + number))
    )
    return target.exemplar(True) if question.exemplars else target


def variable(name: str, label: str, query: str) -> dashboard.QueryVariable:
    """A choice above the panels, of the values that Prometheus knows; `query` is PromQL's own."""
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(SOURCE)
        .query({"query": query, "refId": name})
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .include_all(False)
    )
