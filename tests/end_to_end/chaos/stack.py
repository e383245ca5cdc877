"""The real servers under the faults: brokers and a Flink cluster, apart from any other stack."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from deploy.flink.cluster import FlinkCluster
from deploy.flink.jars import resolve_cluster, resolve_job_server
from deploy.kafka.broker import Broker, resolve_jars
from deploy.ports import Ports, read_ports
from tests.end_to_end.loopback import only_loopback

SHIFT = 1_000  # in case the system gives us no network of our own
CHECKPOINT_SECONDS = 3.0
SMALL_DISK_MEGABYTES = 192
PLANTED = Path(__file__).with_name("planted")


@dataclass
class Stack:
    """A broker and a Flink cluster for all runs; further brokers where a fault wants one."""

    home: Path
    ports: Ports = field(default_factory=lambda: read_ports().shifted(SHIFT))
    extra: dict[str, Broker] = field(default_factory=dict)
    is_planted: bool = False

    @property
    def broker(self) -> Broker:
        """Where posts come from, and by default where results go."""
        return Broker(self.home / "kafka", self.ports.kafka, self.ports.kafka_controller)

    @property
    def cluster(self) -> FlinkCluster:
        """A job manager with ZooKeeper, two task managers, the worker pool."""
        return FlinkCluster(self.home / "flink", self.ports, checkpoint_seconds=CHECKPOINT_SECONDS)

    @property
    def local_rest(self) -> int:
        """The port of a job manager inside a launcher."""
        return self.ports.flink_rest + 20

    def mend(self) -> None:
        """Start whatever does not run."""
        self.broker.start()
        self.cluster.start()

    def plant(self, is_planted: bool) -> None:
        """Let workers run with the planted bug, or without."""
        if is_planted == self.is_planted:
            return
        self.cluster.parts()["workers"].stop()
        with _environment(PYTHONPATH=str(PLANTED)) if is_planted else _environment():
            self.cluster.start(["workers"])
        self.is_planted = is_planted

    def second_broker(self, name: str, on_small_disk: bool = False) -> Broker:
        """One more broker, which `drop` ends."""
        home = self.home / name
        home.mkdir(parents=True, exist_ok=True)
        if on_small_disk:
            _mount(home)
        broker = Broker(home, self.ports.kafka + 10, self.ports.kafka_controller + 10)
        if on_small_disk:
            broker = replace(broker, extra_properties="log.segment.bytes=8388608\n")
        self.extra[name] = broker
        broker.start()
        return broker

    def drop(self, name: str) -> None:
        """End a further broker and forget its data."""
        broker = self.extra.pop(name)
        broker.stop()
        if broker.home.is_mount():
            subprocess.run(["umount", "--lazy", str(broker.home)], check=True)
        shutil.rmtree(broker.home)

    def stop(self) -> None:
        """End everything."""
        for name in tuple(self.extra):
            self.drop(name)
        self.cluster.stop()
        self.broker.stop()


@contextmanager
def running(home: Path) -> Iterator[Stack]:
    """A fresh stack on a network of its own; whatever happens, nothing of it is left running."""
    for resolve in (resolve_jars, resolve_cluster, resolve_job_server):
        resolve()  # before the network goes
    stack = Stack(home)
    with only_loopback(), _environment(OMP_NUM_THREADS="1"):
        end_leftovers(home)
        stack.stop()
        shutil.rmtree(home, ignore_errors=True)
        try:
            stack.mend()
            yield stack
        finally:
            stack.stop()


def end_leftovers(home: Path) -> None:
    """End the launchers of a harness that was killed; their command lines name its folder."""
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,args="], capture_output=True, text=True, check=True
    ).stdout
    for row in listed.splitlines():
        pid, _, command = row.strip().partition(" ")
        if f"{home.parent / 'runs'}{os.sep}" in command and "pipelines.command_line" in command:
            os.kill(int(pid), signal.SIGKILL)


@contextmanager
def _environment(**variables: str) -> Iterator[None]:
    """Variables for whatever is started meanwhile."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _mount(home: Path) -> None:
    options = f"size={SMALL_DISK_MEGABYTES}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(home)], check=True)
