"""A Kafka broker on this machine without containers: `python -m deploy.kafka.broker start`."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PORT = 9092
REPOSITORY = Path(__file__).resolve().parents[2]
POM = Path(__file__).with_name("pom.xml")
JARS = REPOSITORY / ".tools" / "kafka" / "lib"
START_SECONDS = 120.0  # a busy machine takes half a minute
STOP_SECONDS = 30.0

PROPERTIES = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
controller.quorum.bootstrap.servers=127.0.0.1:{controller_port}
log.dirs={log_folder}
auto.create.topics.enable=false
num.partitions=4
default.replication.factor=1
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
"""


class BrokerError(RuntimeError):
    """The broker cannot do what was asked; the message names the remedy."""


@dataclass(frozen=True)
class Broker:
    """One KRaft node that listens on 127.0.0.1 and keeps everything under `home`.

    Starting one that runs and stopping one that does not change nothing.
    """

    home: Path = REPOSITORY / ".run" / "kafka"
    port: int = PORT
    controller_port: int = PORT + 1

    @property
    def bootstrap_servers(self) -> str:
        """What clients connect to."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """Where the broker says what it does."""
        return self.home / "broker.log"

    def pid(self) -> int | None:
        """The process id of the running broker, None where there is none."""
        try:
            pid = int((self.home / "broker.pid").read_text())
        except (OSError, ValueError):
            return None
        return pid if str(self.home) in _command_of(pid) else None

    def start(self) -> int:
        """Start the broker and return its process id once it takes connections."""
        running = self.pid()
        if running is None:
            _refuse_taken(self.port)
            _refuse_taken(self.controller_port)
            running = self._launch(resolve_jars())
        _wait(lambda: is_listening(self.port), START_SECONDS, self._explain(running))
        return running

    def stop(self) -> None:
        """Stop the broker in order, by force if it takes longer than half a minute."""
        pid = self.pid()
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            _await_end(pid)
        (self.home / "broker.pid").unlink(missing_ok=True)

    def kill(self) -> None:
        """End the broker as a power cut would."""
        pid = self.pid()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            _await_end(pid)

    def _launch(self, jars: Path) -> int:
        self.home.mkdir(parents=True, exist_ok=True)
        properties = self.home / "server.properties"
        properties.write_text(self._properties())
        if not (self.home / "data" / "meta.properties").exists():
            _format_storage(jars, properties)
        java = [*_java(jars, f"-Dmoodwire.home={self.home}"), "kafka.Kafka", str(properties)]
        pid = _spawn(java, self.log)
        (self.home / "broker.pid").write_text(str(pid))
        return pid

    def _properties(self) -> str:
        return PROPERTIES.format(
            port=self.port, controller_port=self.controller_port, log_folder=self.home / "data"
        )

    def _explain(self, pid: int) -> Callable[[], str | None]:
        def explain() -> str | None:
            if _command_of(pid):
                return None
            return f"the broker ended while it started; {self.log} says why"

        return explain


def resolve_jars(jars: Path = JARS) -> Path:
    """The folder of the broker's jars, fetched by Maven when absent or made for another pom."""
    stamp = jars.parent / "pom.xml"
    if not stamp.exists() or stamp.read_bytes() != POM.read_bytes():
        shutil.rmtree(jars, ignore_errors=True)
        maven = _program("mvn", "apt-get install maven")
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={jars}"]
        _run([maven, "-q", "-B", "-f", str(POM), *goal, "-DincludeScope=runtime"])
        stamp.write_bytes(POM.read_bytes())
    return jars


def is_listening(port: int) -> bool:
    """Whether something takes connections on 127.0.0.1:`port`."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def new_cluster_id() -> str:
    """A random id of 16 bytes; its first is zero, since one that began with `-` reads as a flag."""
    return urlsafe_b64encode(b"\0" + uuid.uuid4().bytes[1:]).decode().rstrip("=")


def _format_storage(jars: Path, properties: Path) -> None:
    cluster = new_cluster_id()
    tool = ["kafka.tools.StorageTool", "format", "--standalone", "-t", cluster]
    _run([*_java(jars), *tool, "-c", str(properties)])


def _java(jars: Path, *flags: str) -> list[str]:
    java = _program("java", "apt-get install openjdk-17-jre-headless")
    return [java, "-Xmx512m", "-XX:+UseSerialGC", "-Dlog4j2.level=WARN", *flags, "-cp", f"{jars}/*"]


def _spawn(command: list[str], log: Path) -> int:
    """Start a process that outlives this one and writes to `log`."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    outlets: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawn(command[0], command, os.environ, file_actions=outlets, setsid=True)


def _program(name: str, remedy: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise BrokerError(f"Kafka needs `{name}`, which is not on PATH: {remedy}")
    return path


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        tail = (done.stdout + done.stderr).strip()[-800:]
        raise BrokerError(f"{Path(command[0]).name} failed ({done.returncode}): {tail}")


def _refuse_taken(port: int) -> None:
    if is_listening(port):
        raise BrokerError(f"127.0.0.1:{port} is taken by another program: choose one with --port")


def _command_of(pid: int) -> str:
    """The command line of a live process, empty where it ended."""
    shown = subprocess.run(
        ["ps", "-ww", "-o", "stat=,args=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return "" if shown.startswith("Z") else shown


def _await_end(pid: int) -> None:
    try:
        _wait(lambda: not _command_of(pid), STOP_SECONDS, lambda: None)
    except BrokerError:
        os.kill(pid, signal.SIGKILL)
    _reap(pid)


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        return  # started by another process, which reaps it


def _wait(ready: Callable[[], bool], seconds: float, failure: Callable[[], str | None]) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        reason = failure()
        if reason is None and time.monotonic() > deadline:
            reason = f"the broker was not ready within {seconds:.0f} s"
        if reason is not None:
            raise BrokerError(reason)
        time.sleep(0.1)


def main(arguments: list[str] | None = None) -> int:
    """Start, stop or look at the broker."""
    parser = argparse.ArgumentParser(prog="python -m deploy.kafka.broker", description=__doc__)
    parser.add_argument("action", choices=("start", "stop", "status"))
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--home", type=Path, default=Broker.home)
    options = parser.parse_args(arguments)
    broker = Broker(options.home.resolve(), options.port, options.port + 1)
    try:
        if options.action != "status":
            getattr(broker, options.action)()
    except BrokerError as error:
        print(error, file=sys.stderr)
        return 1
    return _report(broker)


def _report(broker: Broker) -> int:
    pid = broker.pid()
    if pid is None:
        print(f"Kafka is stopped; its data is kept in {broker.home}")
        return 0
    print(f"Kafka listens on {broker.bootstrap_servers} (pid {pid}, log {broker.log})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
