"""Facts about the Flink cluster that need no Flink."""

from __future__ import annotations

import socket
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import sentinel

import pytest
import yaml

from deploy.flink.cluster import FlinkCluster, main
from deploy.flink.jars import manifest, resolve_job_server
from deploy.flink.residual_state import ALWAYS_THE_SAME, CLASS, NUMBERED, bound_residual_state
from deploy.flink.settings import TASK_MEMORY, cluster_settings, task_manager_settings
from deploy.flink.worker_pool import WorkerPool
from deploy.ports import read_ports

LOCALHOST = "127.0.0.1"


def test_every_server_is_told_to_listen_on_this_machine_alone() -> None:
    settings = cluster_settings(Path("/run"), read_ports(), 2, 5.0)
    places = [key for key in settings if key.endswith(("bind-host", "bind-address", ".host"))]

    assert len(places) == 4
    assert {settings[key] for key in places} == {LOCALHOST}


def test_no_two_servers_share_a_port() -> None:
    ports = read_ports()
    settings = cluster_settings(Path("/run"), ports, 2, 5.0)
    used = {settings[key] for key in settings if key.endswith(".port") and "rest" not in key}
    own = [task_manager_settings(Path("/run"), ports, number) for number in (1, 2)]
    each = [value for of in own for key, value in of.items() if key.endswith(".port")]
    others = [ports.kafka, ports.kafka_controller, ports.zookeeper, ports.workers]
    every = [*used, *each, *others, ports.flink_rest, ports.flink_metrics]

    assert len(every) == len(set(every))


def test_a_task_manager_stays_within_its_memory() -> None:
    assert sum(size for name, size in TASK_MEMORY.items() if not name.endswith(".max")) <= 1696


def test_nothing_runs_and_nothing_happens_where_nothing_was_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stop", "--home", str(tmp_path)]) == 0
    assert main(["kill", "jobmanager", "--home", str(tmp_path)]) == 0
    assert main(["kill", "jobmaster", "--home", str(tmp_path)]) == 1

    shown = capsys.readouterr()
    assert shown.err.startswith("no part jobmaster; there are zookeeper, jobmanager, workers")
    assert FlinkCluster(tmp_path).workers() == []


def test_manifest_lines_hold_at_most_72_bytes() -> None:
    text = manifest("a.Main", [f"lib/{'x' * length}.jar" for length in range(50)])

    assert max(len(line) for line in text.splitlines()) <= 72
    assert text.replace("\n ", "").splitlines()[2].count(".jar") == 50


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerPool]:
    """A pool whose workers find the repository."""
    monkeypatch.chdir(Path(__file__).resolve().parents[2])
    pool = WorkerPool([])
    yield pool
    pool.close()


def ask(pool: WorkerPool, endpoint: socket.socket) -> None:
    """Ask for worker 1-1 as the task manager behind `endpoint` would."""
    url = f"localhost:{endpoint.getsockname()[1]}"
    request: Any = SimpleNamespace(control_endpoint=SimpleNamespace(url=url), worker_id="1-1")
    pool.StartWorker(request, sentinel.context)


def test_a_worker_ends_with_its_task_manager_and_no_other_does(pool: WorkerPool) -> None:
    with socket.create_server((LOCALHOST, 0)) as stays:
        with socket.create_server((LOCALHOST, 0)) as goes:
            ask(pool, stays)
            ask(pool, goes)
            kept, lost = pool.workers
            pool.sweep()
            assert not kept.has_ended() and not lost.has_ended()
        pool.sweep()

        assert lost.has_ended() and not kept.has_ended()
        pool.sweep()
        assert pool.workers == [kept]


def test_settings_are_plain_yaml() -> None:
    settings = cluster_settings(Path("/run"), read_ports(), 2, 5.0)

    assert yaml.safe_load(yaml.safe_dump(settings)) == settings


def a_jar(folder: Path, code: bytes) -> Path:
    jar = folder / "beam-runners-java-fn-execution-2.70.0.jar"
    with zipfile.ZipFile(jar, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
        archive.writestr(CLASS, code)
    return jar


def test_residual_state_is_bounded_once_and_nothing_else_is_touched(tmp_path: Path) -> None:
    jar = a_jar(tmp_path, b"before" + NUMBERED + b"after")

    assert bound_residual_state(jar)
    assert not bound_residual_state(jar)
    with zipfile.ZipFile(jar) as archive:
        assert archive.read(CLASS) == b"before" + ALWAYS_THE_SAME + b"after"
        assert archive.namelist() == ["META-INF/MANIFEST.MF", CLASS]


@pytest.mark.parametrize("code", [b"another release", NUMBERED + NUMBERED])
def test_a_job_server_that_needs_no_cure_is_left_alone(tmp_path: Path, code: bytes) -> None:
    jar = a_jar(tmp_path, code)
    before = jar.read_bytes()

    assert not bound_residual_state(jar)
    assert jar.read_bytes() == before


def test_the_job_server_that_is_used_has_bounded_residual_state() -> None:
    jars = resolve_job_server().with_name("lib")
    (jar,) = jars.glob("beam-runners-java-fn-execution-*.jar")

    with zipfile.ZipFile(jar) as archive:
        assert archive.read(CLASS).count(ALWAYS_THE_SAME) == 1
