"""The dashboards for brand teams, and all there are."""

from __future__ import annotations

from dashboards.grafana.board import BRAND_VARIABLE, FIRING, WORST, Board
from dashboards.grafana.board import of_chosen as _of
from dashboards.grafana.health import MODEL, PIPELINE, QUALITY
from dashboards.grafana.panels import Panel, Question
from schemas import metrics as m


def _recorded(name: str) -> str:
    """What Prometheus records of the brand that is chosen (deploy/prometheus/rules.yml)."""
    return f'moodwire:{name}{{brand="{BRAND_VARIABLE}"}}'


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
        Panel("Share of voice", (Question("moodwire:brand_share_of_voice:ratio", "{{brand}}"),),
              unit="percentunit", bounds=(0, 1),
              about="Each brand's part of the posts about all brands."),
        Panel("Change of posts", (Question("moodwire:brand_posts:velocity5m", "{{brand}}"),),
              about="Posts of the newest five minutes less those of the five before."),
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
        Panel("Share of voice", (Question(_recorded("brand_share_of_voice:ratio"), "share"),),
              unit="percentunit", bounds=(0, 1)),
        Panel("Change of posts", (
            Question(_recorded("brand_posts:velocity5m"), "against the window before"),
            Question(_recorded("brand_posts:acceleration5m"), "of that change"),
        ), about="Windows of five minutes; 0 while the ones before are not known."),
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

BOARDS = (BRANDS, BRAND, ALERTS, PIPELINE, MODEL, QUALITY)
