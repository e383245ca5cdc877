"""Every PromQL expression of dashboards and rules answers in a real Prometheus that reads a run."""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.grafana.board import FIRING
from dashboards.grafana.boards import BOARDS
from dashboards.live.follower import Follower
from dashboards.live.server import BackgroundServer
from deploy.prometheus.servers import RULES
from tests.dashboards.run_folder import build_run_folder
from tests.dashboards.story import BRANDS
from tests.servers import free_port

DEADLINE_SECONDS = 60.0
PANELS = [
    pytest.param(question.expr, id=f"{board.uid}: {panel.title}: {question.legend}")
    for board in BOARDS
    for panel in board.panels
    for question in panel.questions
]
RULE_LIST = [
    rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
]


def ask(prometheus: str, query: str) -> list[dict[str, Any]]:
    url = f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
    return found


def answers_in_time(prometheus: str, query: str) -> list[dict[str, Any]]:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            found = ask(prometheus, query)
        except OSError:
            found = []
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


@contextmanager
def a_prometheus(home: Path, target: str) -> Iterator[str]:
    """Debian's Prometheus on 127.0.0.1, with the shipped rules, that reads `target` each second."""
    address = f"127.0.0.1:{free_port()}"
    config = home / "prometheus.yml"
    job = {"job_name": "moodwire", "static_configs": [{"targets": [target]}]}
    every_second = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    wanted = {"global": every_second, "rule_files": [str(RULES)], "scrape_configs": [job]}
    config.write_text(yaml.safe_dump(wanted))
    command = ["prometheus", f"--config.file={config}", f"--web.listen-address={address}"]
    with (home / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, f"--storage.tsdb.path={home / 'data'}"], stdout=log, stderr=log
        )
    try:
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that has read a run twice, so that rates are known."""
    folder = build_run_folder(tmp_path_factory.mktemp("run"))
    with BackgroundServer(Follower(folder), port=0) as server:
        target = server.url.removeprefix("http://").rstrip("/")
        with a_prometheus(tmp_path_factory.mktemp("prometheus"), target) as url:
            assert answers_in_time(url, "moodwire:readings:rate5m")
            yield url


@pytest.mark.parametrize("expr", PANELS)
def test_every_panel_has_data(prometheus: str, expr: str) -> None:
    assert answers_in_time(prometheus, expr.replace("$brand", next(iter(BRANDS))))


def test_alerts_that_fire_stand_on_the_charts(prometheus: str) -> None:
    kinds = {(a["metric"]["brand"], a["metric"]["kind"]) for a in ask(prometheus, FIRING)}

    assert kinds


@pytest.mark.parametrize("rule", RULE_LIST, ids=lambda rule: rule.get("record") or rule["alert"])
def test_every_rule_asks_for_what_is_there(prometheus: str, rule: dict[str, str]) -> None:
    asked = set(re.findall(r"\b(?:moodwire_|moodwire:)[a-z0-9_:]+|\bup\b", rule["expr"]))

    assert [name for name in asked if not answers_in_time(prometheus, name)] == []
    if "record" in rule:
        assert answers_in_time(prometheus, rule["record"])
