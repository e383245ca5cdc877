"""The whole stack on this machine without containers: `python -m deploy.stack up`.

Kafka with its topics, and a Flink cluster: ZooKeeper, a job manager, two task managers, Beam's
worker pool. Where Debian's packages are installed also Prometheus with the shipped rules,
Alertmanager, and the exporter that tells them of Moodwire. Data, logs and process ids lie under
`.run/`, the ports in `deploy/ports.yaml`.
"""

from __future__ import annotations

import argparse
import fcntl
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kafka.errors import KafkaError

from deploy.flink.cluster import FlinkCluster
from deploy.flink.jars import resolve_cluster, resolve_job_server
from deploy.jars import find_java
from deploy.kafka.broker import Broker, resolve_jars
from deploy.kafka.topics import create_topics, read_topics
from deploy.ports import Ports, read_ports
from deploy.processes import REPOSITORY, Process, ProcessError
from deploy.prometheus.servers import REMEDY, Watchers

HEADER = f"{'part':<15} {'state':<9} {'address':<16} {'pid':<8} log"


@dataclass(frozen=True)
class Stack:
    """Kafka, Flink and what watches them, each in its folder of `home`.

    Going up starts only what does not run, so it may be done at any time and mends what died.
    """

    home: Path = REPOSITORY / ".run"
    ports: Ports = field(default_factory=read_ports)
    task_managers: int = 2
    slots: int = 2

    @property
    def broker(self) -> Broker:
        """Kafka."""
        return Broker(self.home / "kafka", self.ports.kafka, self.ports.kafka_controller)

    @property
    def flink(self) -> FlinkCluster:
        """The cluster that jobs are handed to."""
        return FlinkCluster(self.home / "flink", self.ports, self.task_managers, self.slots)

    @property
    def watchers(self) -> Watchers:
        """What watches the rest."""
        return Watchers(self.home / "watchers", self.ports, self.task_managers)

    def parts(self) -> list[Process]:
        """Every server that this machine can have, in the order in which they start."""
        watchers = [] if self.watchers.missing() else self.watchers.parts().values()
        return [self.broker.process, *self.flink.parts().values(), *watchers]

    def up(self, say: Callable[[str], None] = print) -> None:
        """Fetch what is missing, then start what does not run; Kafka and Flink at the same time."""
        find_java("the stack")
        with self._alone(), ThreadPoolExecutor() as threads:
            fetched = [threads.submit(fetch) for fetch in (resolve_jars, resolve_cluster)]
            server = threads.submit(resolve_job_server)
            with timed("Kafka's and Flink's jars", say):
                for task in fetched:
                    task.result()
            kafka = threads.submit(self._up_kafka, say)
            with timed(f"Flink on {self.flink.rest}, {self.task_managers} task managers", say):
                self.flink.start()
            kafka.result()
            self._watch(say)
            with timed("Beam's job server for Flink", say):
                server.result()

    def _watch(self, say: Callable[[str], None]) -> None:
        if missing := self.watchers.missing():
            return say(f"      –    without {' and '.join(missing)}: {REMEDY}")
        with timed(f"Prometheus on 127.0.0.1:{self.ports.prometheus}, with its rules", say):
            self.watchers.start()

    def _up_kafka(self, say: Callable[[str], None]) -> None:
        with timed(f"Kafka on {self.broker.bootstrap_servers}, with its topics", say):
            self.broker.start()
            create_topics(self.broker.bootstrap_servers, read_topics())

    def down(self, say: Callable[[str], None] = print) -> None:
        """Stop all in order. Data stays; jobs that still run go on at the next start."""
        with self._alone(), timed("all stopped", say):
            self.watchers.stop()
            self.flink.stop()
            self.broker.stop()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One start or stop at a time: the second waits for the first."""
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "stack.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@contextmanager
def timed(words: str, say: Callable[[str], None]) -> Iterator[None]:
    """Say `words` and the seconds once the block is done."""
    started = time.monotonic()
    yield
    say(f"{time.monotonic() - started:6.1f} s  {words}")


def main(arguments: list[str] | None = None) -> int:
    """Bring the stack up or down, or look at it; `status` fails where a part does not run."""
    parser = argparse.ArgumentParser(prog="python -m deploy.stack", description=__doc__)
    parser.add_argument("action", choices=("up", "down", "status"))
    parser.add_argument("--task-managers", type=int, default=2)
    parser.add_argument("--slots", type=int, default=2, help="of each task manager")
    options = parser.parse_args(arguments)
    stack = Stack(task_managers=options.task_managers, slots=options.slots)
    try:
        if options.action != "status":
            getattr(stack, options.action)()
    except (ProcessError, KafkaError) as error:
        print(error, file=sys.stderr)
        return 1
    if options.action != "down":
        print(HEADER, *(part.row() for part in stack.parts()), sep="\n")
    return int(options.action == "status" and not all(part.pid() for part in stack.parts()))


if __name__ == "__main__":
    sys.exit(main())
