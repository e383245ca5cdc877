"""A stack of a measurement's own: other ports, another home, a network of 127.0.0.1 alone."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.flink.jars import resolve_cluster, resolve_job_server
from deploy.kafka.broker import resolve_jars
from deploy.kafka.topics import create_topics
from deploy.ports import read_ports
from deploy.stack import Stack
from tests.end_to_end.loopback import only_loopback

SHIFT = 300  # where the system gives no network of our own, `make up` and this do not meet


@contextmanager
def own_stack(
    home: Path, task_managers: int = 2, with_flink: bool = True, fresh: bool = True
) -> Iterator[Stack]:
    """A running stack with nothing in it, or (not `fresh`) with what an earlier one left."""
    for fetch in (resolve_jars, *((resolve_cluster, resolve_job_server) if with_flink else ())):
        fetch()  # before the network goes
    if fresh:
        shutil.rmtree(home, ignore_errors=True)
    stack = Stack(home, read_ports().shifted(SHIFT), task_managers)
    with only_loopback():
        try:
            stack.broker.start()
            if with_flink:
                stack.flink.start()
            yield stack
        finally:
            stack.down(lambda _: None)


def remove_data(home: Path) -> None:
    """What is large; logs stay for who wants to know why."""
    for data in ("kafka/data", "flink/checkpoints", "flink/jobmanager", "flink/tmp"):
        shutil.rmtree(home / data, ignore_errors=True)


def create_topic(stack: Stack, name: str, partitions: int) -> None:
    """Make one topic."""
    create_topics(
        stack.broker.bootstrap_servers, {name: {"num_partitions": partitions, "configs": {}}}
    )


def end(process: subprocess.Popen[bytes], seconds: float = 15.0) -> None:
    """End a process that we started, by force if it does not hear."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
