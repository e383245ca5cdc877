import os
from pathlib import Path

import pytest

from pipelines.flink.engine import Engine, check_engine
from pipelines.flink.job_server import read_cause
from pipelines.flink.rest import FlinkRest, FlinkUnreachableError
from pipelines.flink.settings import FlinkSettings
from pipelines.settings import SettingsError, parse_settings


def test_a_cluster_without_workers_is_refused_with_the_remedy() -> None:
    with pytest.raises(SettingsError, match=r"flink\.workers: .* localhost:50001"):
        check_engine(FlinkSettings(master="flink:8081"))


def test_a_master_is_local_or_an_address() -> None:
    with pytest.raises(SettingsError, match=r"flink\.master"):
        parse_settings("flink: {master: 'http://flink'}")


def test_java_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)

    with pytest.raises(SettingsError, match="apt-get install openjdk"):
        check_engine(FlinkSettings())


def test_a_job_manager_that_does_not_answer_is_named() -> None:
    with pytest.raises(FlinkUnreachableError, match=r"flink\.master: no Flink answers at .*:1 "):
        FlinkRest("127.0.0.1:1").jobs()


def test_a_local_flink_goes_on_from_its_newest_state(tmp_path: Path) -> None:
    engine = Engine(FlinkSettings(folder=str(tmp_path)))
    place = tmp_path / "checkpoints" / "job" / "chk-3"
    place.mkdir(parents=True)
    (place / "_metadata").write_bytes(b"")

    state = engine.find_state()
    configuration = engine.write_configuration(state) / "flink-conf.yaml"

    assert state == place.as_uri()
    assert f"execution.savepoint.path: {state}" in configuration.read_text()
    assert not [option for option in engine.options(state) if "savepoint" in option]


def test_a_cluster_is_told_the_state_with_the_job(tmp_path: Path) -> None:
    settings = FlinkSettings(master="flink:8081", workers="localhost:50001", folder=str(tmp_path))
    engine = Engine(settings)
    engine.record.write_state("s3://bucket/savepoint-1")

    options = engine.options(engine.find_state())

    assert "--savepoint_path=s3://bucket/savepoint-1" in options
    assert "--environment_type=EXTERNAL" in options


def test_bundles_end_before_a_checkpoint() -> None:
    options = Engine(FlinkSettings()).options(None)

    assert "--finish_bundle_before_checkpointing" in options


def test_the_innermost_cause_is_what_people_are_told(tmp_path: Path) -> None:
    log = tmp_path / "job-server.log"
    log.write_text("Error\nCaused by: outer\n  at x\nCaused by: no slots left\n")

    assert read_cause(log) == "no slots left"
