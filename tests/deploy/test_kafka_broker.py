"""Facts about the broker's commands that need no broker."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from deploy.kafka.broker import Broker, main, new_cluster_id, resolve_jars
from deploy.kafka.topics import read_topics


def test_missing_java_is_said_in_one_line_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    resolve_jars()
    monkeypatch.setenv("PATH", "/nowhere")

    assert main(["start", "--home", str(tmp_path), "--port", "1"]) == 1
    remedy = "Kafka needs `java`, which is not on PATH: apt-get install openjdk-17-jre-headless\n"
    assert capsys.readouterr().err == remedy


def test_taken_port_is_refused_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        failed = main(["start", "--home", str(tmp_path), "--port", port])

    assert failed == 1
    assert capsys.readouterr().err.endswith("or choose another port in deploy/ports.yaml\n")
    assert list(tmp_path.iterdir()) == []


def test_stopping_a_stopped_broker_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stop", "--home", str(tmp_path)]) == 0
    assert "Kafka is stopped" in capsys.readouterr().out


def test_process_id_of_another_program_is_not_taken_for_the_broker(tmp_path: Path) -> None:
    (tmp_path / "broker.pid").write_text(str(os.getpid()))

    assert Broker(tmp_path / "elsewhere").pid() is None
    assert Broker(tmp_path).pid() is None


def test_results_that_supersede_one_another_live_in_compacted_topics() -> None:
    topics = read_topics(prefix="test-")
    compacted = {n for n, t in topics.items() if t["configs"].get("cleanup.policy") == "compact"}

    assert compacted == {
        f"test-{n}" for n in ("trends", "rollups", "alerts", "topics", "alert-feedback", "media")
    }
    assert set(topics) - compacted == {"test-posts", "test-readings", "test-dead-letters"}


def test_a_cluster_id_never_reads_as_a_flag() -> None:
    ids = {new_cluster_id() for _ in range(500)}

    assert len(ids) == 500
    assert not any(name.startswith("-") for name in ids)
