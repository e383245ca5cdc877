"""Questions to a real Prometheus, and every question that dashboards and rules ask."""

from __future__ import annotations

import json
import re
import time
import urllib.parse
import urllib.request
from typing import Any, NamedTuple

import yaml

from dashboards.grafana.boards import BOARDS
from deploy.prometheus.servers import RULES

DEADLINE_SECONDS = 60.0
RULE_LIST: list[dict[str, str]] = [
    rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
]
# What only Flink, the topics, delivery or the job manager know; a run folder does not.
OF_A_STACK = re.compile(
    r"flink_|_delay_seconds|moodwire_delivery_|moodwire_checkpoint|moodwire:objective_"
)
ASKED = re.compile(r"\b(?:moodwire_|moodwire:|flink_)[A-Za-z0-9_:]+|\bup\b")


class Asked(NamedTuple):
    """A PromQL expression and where it stands."""

    place: str
    expr: str

    @property
    def needs_stack(self) -> bool:
        """Whether a run folder alone cannot answer it."""
        return OF_A_STACK.search(self.expr) is not None


PANELS = [
    Asked(f"{board.uid}: {panel.title}: {question.legend}", question.expr)
    for board in BOARDS
    for panel in board.panels
    for question in panel.questions
]
RECORDS = [Asked(rule["record"], rule["record"]) for rule in RULE_LIST if "record" in rule]
# An alert's expression is empty while all is well, so what it is made of is asked for.
PARTS_OF_RULES = [
    Asked(f"{rule.get('alert') or rule.get('record')}: {name}", name)
    for rule in RULE_LIST
    for name in sorted(set(ASKED.findall(rule["expr"])))
]


def ask(prometheus: str, query: str) -> list[dict[str, Any]]:
    """The series that answer `query` now."""
    url = f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    return found


def answers_in_time(
    prometheus: str, query: str, seconds: float = DEADLINE_SECONDS
) -> list[dict[str, Any]]:
    """The same, once there are any; none after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = ask(prometheus, query)
        except OSError:
            found = []
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def ask_exemplars(prometheus: str, series: str) -> list[dict[str, Any]]:
    """The exemplars of the last hour that Prometheus keeps of `series`."""
    now = time.time()
    asked = urllib.parse.urlencode({"query": series, "start": now - 3_600, "end": now})
    with urllib.request.urlopen(f"{prometheus}/api/v1/query_exemplars?{asked}", timeout=10) as got:
        found: list[dict[str, Any]] = json.load(got)["data"]
    return found
