"""A Kafka broker on this machine without containers: `python -m deploy.kafka.broker start`."""

from __future__ import annotations

import argparse
import sys
import uuid
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path

from deploy.jars import fetch_jars, find_java
from deploy.ports import read_ports
from deploy.processes import REPOSITORY, Process, ProcessError, run

PORT = read_ports().kafka
POM = Path(__file__).with_name("pom.xml")
JARS = REPOSITORY / ".tools" / "kafka" / "lib"

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


@dataclass(frozen=True)
class Broker:
    """One KRaft node that listens on 127.0.0.1 and keeps everything under `home`.

    `extra_properties` are lines of its configuration that come before those here.
    Starting one that runs and stopping one that does not change nothing.
    """

    home: Path = REPOSITORY / ".run" / "kafka"
    port: int = PORT
    controller_port: int = read_ports().kafka_controller
    extra_properties: str = ""

    @property
    def bootstrap_servers(self) -> str:
        """What clients connect to."""
        return f"127.0.0.1:{self.port}"

    @property
    def process(self) -> Process:
        """The broker as a server with a pid file."""
        return Process("broker", self.home, self.port)

    @property
    def log(self) -> Path:
        """Where the broker says what it does."""
        return self.process.log

    def pid(self) -> int | None:
        """The process id of the running broker, None where there is none."""
        return self.process.pid()

    def start(self) -> int:
        """Start the broker and return its process id once it takes connections."""
        if self.pid() is None:
            self.process.refuse_taken_port()
            self.process.refuse_taken_port(self.controller_port)
            self._launch(resolve_jars())
        return self.process.await_ready()

    def stop(self) -> None:
        """Stop the broker in order, by force if it takes longer than half a minute."""
        self.process.stop()

    def kill(self) -> None:
        """End the broker as a power cut would."""
        self.process.kill()

    def _launch(self, jars: Path) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        properties = self.home / "server.properties"
        properties.write_text(self._properties())
        if not (self.home / "data" / "meta.properties").exists():
            _format_storage(jars, properties)
        java = _java(jars, f"-Dmoodwire.process={self.process.mark}")
        self.process.spawn([*java, "kafka.Kafka", str(properties)])

    def _properties(self) -> str:
        properties = PROPERTIES.format(
            port=self.port, controller_port=self.controller_port, log_folder=self.home / "data"
        )
        return properties + self.extra_properties  # of a key that stands twice the last counts


def resolve_jars(jars: Path = JARS) -> Path:
    """The folder of the broker's jars, fetched when absent or made for another pom."""
    return fetch_jars(POM, jars, "Kafka")


def new_cluster_id() -> str:
    """A random id of 16 bytes; its first is zero, since one that began with `-` reads as a flag."""
    return urlsafe_b64encode(b"\0" + uuid.uuid4().bytes[1:]).decode().rstrip("=")


def _format_storage(jars: Path, properties: Path) -> None:
    cluster = new_cluster_id()
    tool = ["kafka.tools.StorageTool", "format", "--standalone", "-t", cluster]
    run([*_java(jars), *tool, "-c", str(properties)])


def _java(jars: Path, *flags: str) -> list[str]:
    log_level = "-Dlog4j2.level=WARN"
    java = [find_java("Kafka"), "-Xmx512m", "-XX:+UseSerialGC", log_level, *flags]
    return [*java, "-cp", f"{jars}/*"]


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
    except ProcessError as error:
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
