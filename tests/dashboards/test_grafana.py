"""Facts about dashboards in Grafana: brought there once, compared, and kept as files."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.grafana.board import Board
from dashboards.grafana.boards import BOARDS
from pipelines.command_line import INCOMPLETE, MISUSED, OK, main
from schemas.metrics import METRICS
from tests.dashboards.grafana_contract import PASSWORD, TOKEN, USER, Contents, a_grafana

SHIPPED = Path(__file__).resolve().parents[2] / "deploy" / "grafana" / "dashboards"


@pytest.fixture(autouse=True)
def _login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFANA_TOKEN", TOKEN)


def run(action: str, grafana: Contents, *more: str) -> int:
    return main(["dashboards", action, "--url", grafana.url, *more])


def test_a_second_push_changes_nothing() -> None:
    with a_grafana() as grafana:
        assert run("push", grafana) == OK
        first = len(grafana.writes)
        assert run("push", grafana) == OK

    assert first == 2 + len(BOARDS)  # the data source, the folder, the dashboards
    assert len(grafana.writes) == first
    assert {b["meta"]["folderUid"] for b in grafana.boards.values()} == {"moodwire"}


def test_what_was_changed_by_hand_is_shown_and_put_right(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with a_grafana() as grafana:
        assert run("diff", grafana) == INCOMPLETE
        run("push", grafana)
        assert run("diff", grafana) == OK
        grafana.boards["moodwire-brand"]["dashboard"]["title"] = "Mine"
        capsys.readouterr()

        assert run("diff", grafana) == INCOMPLETE
        assert '-  "title": "Mine"' in capsys.readouterr().out
        run("push", grafana)
        assert run("diff", grafana) == OK
        assert run("push", grafana, "--prometheus-url", "http://elsewhere:9090") == OK

    source = grafana.data_sources["Moodwire Prometheus"]
    assert (source["url"], source["uid"]) == ("http://elsewhere:9090", "moodwire-prometheus")
    assert grafana.boards["moodwire-brand"]["dashboard"]["version"] == 2


def test_what_grafana_has_can_be_pulled(tmp_path: Path) -> None:
    with a_grafana() as grafana:
        run("push", grafana)
        assert run("pull", grafana, "--output", str(tmp_path)) == OK

    pulled = {file.stem: json.loads(file.read_text()) for file in tmp_path.iterdir()}
    assert pulled == {board.uid: board.build() for board in BOARDS}


def test_a_person_may_log_in_instead_of_a_service_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRAFANA_TOKEN")
    monkeypatch.setenv("GRAFANA_USER", USER)
    monkeypatch.setenv("GRAFANA_PASSWORD", PASSWORD)

    with a_grafana() as grafana:
        assert run("push", grafana) == OK


def test_misuse_names_the_remedy_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with a_grafana() as grafana:
        monkeypatch.setenv("GRAFANA_TOKEN", "glsa_wrong")
        assert run("push", grafana) == MISUSED
        monkeypatch.delenv("GRAFANA_TOKEN")
        assert run("push", grafana) == MISUSED
    monkeypatch.setenv("GRAFANA_TOKEN", TOKEN)
    assert run("push", grafana) == MISUSED  # it is gone by now

    said = capsys.readouterr().err
    assert "refuses the login" in said and "GRAFANA_TOKEN: not set" in said
    assert "no Grafana answers" in said
    assert TOKEN not in said and "glsa_wrong" not in said


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_a_dashboard_is_one_by_the_sdks_model(board: Board) -> None:
    built = board.build()
    ids = [panel["id"] for panel in built["panels"]]

    again = Dashboard.from_json(built)

    assert again.uid == board.uid and len(again.panels or []) == len(board.panels)
    assert ids == list(range(1, len(ids) + 1))
    assert all(p["gridPos"]["x"] + p["gridPos"]["w"] <= 24 for p in built["panels"])


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_panels_ask_for_metrics_that_are_declared(board: Board) -> None:
    exprs = [question.expr for panel in board.panels for question in panel.questions]
    asked = {name for expr in exprs for name in re.findall(r"\bmoodwire_[a-z_]+", expr)}

    assert asked and asked <= {name for metric in METRICS for name in metric.series}


def test_the_shipped_files_are_these_dashboards() -> None:
    shipped = {file.stem: json.loads(file.read_text()) for file in SHIPPED.glob("*.json")}

    assert shipped == {board.uid: board.build() for board in BOARDS}, (
        "moodwire dashboards export --output deploy/grafana/dashboards"
    )
