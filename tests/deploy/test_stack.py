"""The stack for real: Kafka and a Flink cluster on a network of 127.0.0.1 alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml

from deploy.flink.jars import resolve_cluster, resolve_job_server
from deploy.kafka.broker import resolve_jars
from deploy.ports import read_ports
from deploy.processes import Process, ProcessError, is_listening, members_of, wait
from deploy.prometheus.servers import RULES
from deploy.stack import Stack
from tests.end_to_end.loopback import only_loopback

BESIDE = 11_000  # where there is no network of our own, another stack may run on the usual ports


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that is up."""
    resolve_jars(), resolve_cluster(), resolve_job_server()
    with only_loopback():
        stack = Stack(tmp_path_factory.mktemp("run"), read_ports().shifted(BESIDE))
        try:
            stack.up(say=lambda words: None)
            yield stack
        finally:
            stack.down(say=lambda words: None)


def pids(stack: Stack) -> dict[str, int | None]:
    """The process id of every part."""
    return {part.name: part.pid() for part in stack.parts()}


def test_up_starts_everything_once_and_mends_what_died(stack: Stack) -> None:
    first = pids(stack)
    assert all(first.values())
    assert sorted(stack.flink.registered()) == ["taskmanager-1", "taskmanager-2"]

    stack.up(say=lambda words: None)
    assert pids(stack) == first

    stack.flink.kill("taskmanager-1")
    assert pids(stack) == {**first, "taskmanager-1": None}
    stack.up(say=lambda words: None)
    mended = pids(stack)

    assert mended.pop("taskmanager-1") not in {None, first.pop("taskmanager-1")}
    assert mended == first


def test_prometheus_reads_every_part_by_the_shipped_rules(stack: Stack) -> None:
    def ask(path: str) -> Any:
        with urlopen(f"http://127.0.0.1:{stack.ports.prometheus}/api/v1/{path}") as answer:
            return json.load(answer)["data"]

    def health() -> dict[str, str]:
        return {t["scrapeUrl"]: t["health"] for t in ask("targets")["activeTargets"]}

    delivery = f"http://127.0.0.1:{stack.ports.delivery}/metrics"  # not started by the stack
    wait(lambda: {url for url, is_so in health().items() if is_so != "up"} == {delivery}, 60.0)
    wait(lambda: bool(ask("alertmanagers")["activeAlertmanagers"]), 60.0)

    assert (
        len(health()) == 7
    )  # delivery, exporter, job manager, two task managers, the two watchers
    rules = [rule for group in ask("rules")["groups"] for rule in group["rules"]]
    groups = yaml.safe_load(RULES.read_text())["groups"]
    shipped = [rule for group in groups for rule in group["rules"]]
    assert len(rules) == len(shipped)
    assert {rule["health"] for rule in rules} <= {"ok", "unknown"}


def test_one_part_is_told_from_the_next(stack: Stack) -> None:
    one = stack.flink.parts()["taskmanager-1"]
    ten = Process("taskmanager-10", one.home, one.port)
    ten.pid_file.write_text(str(one.pid()))

    assert ten.pid() is None
    ten.pid_file.unlink()


def test_a_taken_port_is_refused_before_anything_starts(stack: Stack, tmp_path: Path) -> None:
    second = Stack(tmp_path, stack.ports)

    with pytest.raises(ProcessError, match=r"is taken by another program: .*deploy/ports.yaml$"):
        second.up(say=lambda words: None)
    assert not any(pids(second).values())


def test_down_leaves_no_process(stack: Stack) -> None:
    groups = [pid for pid in pids(stack).values() if pid]

    stack.down(say=lambda words: None)

    assert groups and [left for group in groups for left in members_of(group)] == []
    assert not any(is_listening(part.port) for part in stack.parts())
    assert not any(part.pid_file.exists() for part in stack.parts())
