"""Facts about rules: promtool agrees, and each has its runbook and its cases."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from deploy.ports import read_ports
from deploy.prometheus.servers import FOLDER, ROUTES, RULES, Watchers, prometheus_config
from schemas.metrics import METRICS

ROOT = FOLDER.parents[1]
TESTS = FOLDER / "rules_test.yml"
RULE_LIST = [
    rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
]
ALERTS = [rule for rule in RULE_LIST if "alert" in rule]


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("promtool", "check", "rules", str(RULES)),
        ("promtool", "test", "rules", str(TESTS)),
        ("amtool", "check-config", str(ROUTES)),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_the_tools_of_the_trade_agree(command: tuple[str, ...]) -> None:
    run(*command)


def test_the_configuration_of_this_machine_is_one(tmp_path: Path) -> None:
    file = tmp_path / "prometheus.yml"
    file.write_text(yaml.safe_dump(prometheus_config(read_ports(), 2)))

    run("promtool", "check", "config", str(file))


def test_every_alert_has_a_case_that_fires_and_one_that_stays_silent() -> None:
    cases = [
        case
        for test in yaml.safe_load(TESTS.read_text())["tests"]
        for case in test.get("alert_rule_test", [])
    ]
    fire = {case["alertname"] for case in cases if case.get("exp_alerts")}
    stay_silent = {case["alertname"] for case in cases if not case.get("exp_alerts")}

    assert fire == stay_silent == {rule["alert"] for rule in ALERTS}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_every_alert_leads_to_its_runbook(rule: dict[str, dict[str, str]]) -> None:
    document, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    headings = re.findall(r"^#+ (.*)$", (ROOT / document).read_text(), re.MULTILINE)

    assert anchor in {heading.lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("rule", RULE_LIST, ids=lambda rule: rule.get("alert") or rule["record"])
def test_rules_ask_for_metrics_that_are_declared(rule: dict[str, str]) -> None:
    asked = set(re.findall(r"\bmoodwire_[a-z_]+", rule["expr"]))

    assert asked <= {name for metric in METRICS for name in metric.series}


def test_a_machine_without_the_programs_is_told_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert Watchers(tmp_path, read_ports()).missing() == ["prometheus", "prometheus-alertmanager"]
