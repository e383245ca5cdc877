"""The dashboards: for brand teams, for those on call, for those who mind the data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.grafana.panels import SOURCE, Panel, Question, variable
from schemas import metrics as m

TAG = "moodwire"
WORST = f"max by (brand, kind) ({m.ALERTS_FIRING.name})"
FIRING = f"{WORST} > 0"


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
    of_brand = f"max by (brand, kind) ({_of(m.ALERTS_FIRING)}) > 0"
    return (
        dashboard.AnnotationQuery()
        .name("Alerts")
        .datasource(SOURCE)
        .enable(True)
        .icon_color("red")
        .expr(of_brand if of_one_brand else FIRING)
    )


def rate(metric: m.Metric, by: str = "", window: str = "5m") -> str:
    """Events a second, over all or by a label."""
    total = f"sum by ({by}) " if by else "sum"
    return f"{total}(rate({metric.name}[{window}]))"


def _of(metric: m.Metric) -> str:
    return f'{metric.name}{{brand="$brand"}}'


BRANDS = Board(
    "moodwire-brands",
    "Moodwire: brands",
    "How the public feels about every brand that is watched.",
    (
        Panel("Mood", (Question(m.BRAND_VALENCE.name, "{{brand}}"),), bounds=(-1, 1), width=24,
              about="Mean valence of the newest window: -1 all negative, 1 all positive."),
        Panel("Negative posts", (Question(m.BRAND_NEGATIVE.name, "{{brand}}"),),
              unit="percentunit", bounds=(0, 1)),
        Panel("Posts in the newest window", (Question(m.BRAND_POSTS.name, "{{brand}}"),),
              bounds=(0, None)),
        Panel("Alerts that fire", (Question(WORST, "{{brand}}, {{kind}}"),),
              bounds=(0, 10), width=24, about="Severity, 1 to 10."),
    ),
)  # fmt: skip

BRAND = Board(
    "moodwire-brand",
    "Moodwire: one brand",
    "Mood, emotions and alerts of one brand.",
    (
        Panel("Mood now", (Question(_of(m.BRAND_VALENCE)),), "number", width=6),
        Panel("Negative now", (Question(_of(m.BRAND_NEGATIVE)),), "number", "percentunit", 6),
        Panel("Posts now", (Question(_of(m.BRAND_POSTS)),), "number", width=6),
        Panel("Worst alert", (Question(f"max({_of(m.ALERTS_FIRING)})"),), "number", width=6,
              about="Severity of the gravest alert that fires, 0 where none does."),
        Panel("Mood", (Question(_of(m.BRAND_VALENCE), "valence"),), bounds=(-1, 1)),
        Panel("Negative posts", (Question(_of(m.BRAND_NEGATIVE), "negative"),),
              unit="percentunit", bounds=(0, 1)),
        Panel("Emotions", (Question(_of(m.BRAND_MOOD), "{{emotion}}"),), unit="percentunit",
              bounds=(0, None), width=24),
        Panel("Posts", (Question(_of(m.BRAND_POSTS), "posts"),), bounds=(0, None)),
        Panel("Alerts", (Question(_of(m.ALERTS_FIRING), "{{kind}}"),), bounds=(0, 10)),
    ),
    chooses_brand=True,
)  # fmt: skip

ALERTS = Board(
    "moodwire-alerts",
    "Moodwire: alerts and incidents",
    "What fires, and how much is told.",
    (
        Panel("Alerts that fire", (Question(f"count({FIRING}) or vector(0)"),), "number", width=8),
        Panel("Highest severity", (Question(f"max({m.ALERTS_FIRING.name})"),), "number", width=8),
        Panel("Brands with an alert", (Question(f"count(max by (brand) ({FIRING})) or vector(0)"),),
              "number", width=8),
        Panel("Severity by brand and kind", (Question(WORST, "{{brand}}, {{kind}}"),),
              bounds=(0, 10), width=24),
        Panel("Alert states told an hour", (Question(
              f"sum by (kind, status) (increase({m.ALERTS.name}[1h]))", "{{kind}}, {{status}}"),),
              width=24, bounds=(0, None), about="Many states of few alerts: late posts refine."),
    ),
    since="now-24h",
)  # fmt: skip

PIPELINE = Board(
    "moodwire-pipeline",
    "Moodwire: pipeline health",
    "Whether posts flow, how far event time has come, and what holds them up.",
    (
        Panel("Posts read", (Question(rate(m.POSTS_READ)),), "number", "reqps", 6),
        Panel("Readings", (Question(rate(m.READINGS)),), "number", "reqps", 6),
        Panel("Behind the clock", (Question(f"time() - {m.WATERMARK.name}"),), "number", "s", 6,
              about="Clock minus watermark. A replay of old posts is behind by their age."),
        Panel("Dead letters", (Question(f"sum({m.DEAD_LETTERS.name})"),), "number", width=6),
        Panel("Rates by stage", (
            Question(rate(m.POSTS_READ), "read"),
            Question(rate(m.POSTS_CLEANED), "cleaned"),
            Question(rate(m.READINGS), "read by the model"),
            Question(rate(m.TRENDS), "trend panes"),
        ), unit="reqps", bounds=(0, None), width=24),
        Panel("Readings by channel", (Question(rate(m.READINGS, "channel"), "{{channel}}"),),
              unit="reqps", bounds=(0, None)),
        Panel("Event time", (Question(f"{m.WATERMARK.name} * 1000", "watermark"),),
              unit="dateTimeAsIso"),
        Panel("Trend panes by timing", (Question(rate(m.TRENDS, "timing"), "{{timing}}"),),
              unit="reqps", bounds=(0, None)),
        Panel("Duplicates dropped", (Question(rate(m.DUPLICATES, "channel"), "{{channel}}"),),
              unit="reqps", bounds=(0, None)),
        Panel("What Prometheus reads", (Question("sum by (job) (up)", "{{job}}"),),
              bounds=(0, None), width=24),
    ),
    since="now-3h",
)  # fmt: skip

QUALITY = Board(
    "moodwire-quality",
    "Moodwire: data quality",
    "What is refused, what fails an expectation, which images cannot be used.",
    (
        Panel("Refused by cause", (Question(f"sum by (stage, cause) ({m.DEAD_LETTERS.name})",
              "{{stage}}: {{cause}}"),), bounds=(0, None), width=24),
        Panel("Share refused", (Question(f"sum({m.DEAD_LETTERS.name}) / sum({m.POSTS_READ.name})",
              "refused"),), unit="percentunit", bounds=(0, None)),
        Panel("Images that could not be used", (Question(f"sum by (cause) ({m.MEDIA_FAULTS.name})",
              "{{cause}}"),), bounds=(0, None)),
        Panel("Failed expectations", (Question(f"sum by (expectation) ({m.EXPECTATIONS.name})",
              "{{expectation}}"),), bounds=(0, None), width=24),
        Panel("Duplicates", (Question(f"sum by (channel) ({m.DUPLICATES.name})", "{{channel}}"),),
              bounds=(0, None), width=24),
    ),
    since="now-24h",
)  # fmt: skip

BOARDS = (BRANDS, BRAND, ALERTS, PIPELINE, QUALITY)
