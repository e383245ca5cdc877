"""Every PromQL expression that a run folder answers does so in a real Prometheus that reads it.

The others are asked of a whole stack: test_watched_stack.py.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from dashboards.grafana.board import FIRING
from dashboards.live.follower import Follower
from dashboards.live.server import BackgroundServer
from deploy.prometheus.servers import RULES
from tests.dashboards.run_folder import build_run_folder
from tests.dashboards.story import BRANDS
from tests.end_to_end.promql import (
    PANELS,
    PARTS_OF_RULES,
    RECORDS,
    Asked,
    answers_in_time,
    ask,
)
from tests.servers import free_port


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


@pytest.mark.parametrize(
    "asked",
    [asked for asked in (*PANELS, *RECORDS, *PARTS_OF_RULES) if not asked.needs_stack],
    ids=lambda asked: asked.place,
)
def test_what_a_run_folder_knows_is_answered(prometheus: str, asked: Asked) -> None:
    assert answers_in_time(prometheus, asked.expr.replace("$brand", next(iter(BRANDS))))


def test_alerts_that_fire_stand_on_the_charts(prometheus: str) -> None:
    kinds = {(a["metric"]["brand"], a["metric"]["kind"]) for a in ask(prometheus, FIRING)}

    assert kinds
