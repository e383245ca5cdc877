"""What can go wrong, each as a function of a live run."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deploy.kafka.broker import Broker
from deploy.processes import Process, wait
from tests.end_to_end.chaos.launcher import Launcher, RunLostError
from tests.end_to_end.chaos.outputs import committed_posts
from tests.end_to_end.chaos.stack import Stack
from tests.end_to_end.chaos.stream import Form

AHEAD_POSTS = 6  # so many commits are of posts that no checkpoint holds
SinkPlace = Literal["same", "second", "small"]


@dataclass
class Live:
    """A run that goes on, as a fault sees it."""

    stack: Stack
    launcher: Launcher
    source: Broker
    sink: Broker
    chance: random.Random


@dataclass(frozen=True)
class Fault:
    """One row of the table.

    Attributes:
        strike: does it, and mends what no supervisor would; None where the stream is the fault.
        sink: the broker of the results: the source's, another one, or one on a small disk that
            posts come from too.
        is_planted: workers run with the planted bug, which the comparison must find.
    """

    title: str
    strike: Callable[[Live], None] | None = None
    form: Form = "plain"
    is_local: bool = False
    sink: SinkPlace = "same"
    is_planted: bool = False


def kill_task_manager(live: Live) -> None:
    """Kill -9 one of the two; start it again two seconds later."""
    _start_again(live, _kill_task_manager(live))


def _kill_task_manager(live: Live) -> str:
    name = live.chance.choice(["taskmanager-1", "taskmanager-2"])
    live.stack.cluster.kill(name)
    return name


def _start_again(live: Live, name: str) -> None:
    time.sleep(2)
    live.stack.cluster.start([name])


def kill_before_checkpoint(live: Live) -> None:
    """Kill -9 a task manager once offsets are committed that no checkpoint holds.

    The job manager stands still meanwhile, for less than its heartbeat may be missing: so long no
    checkpoint begins or ends.
    """
    servers, name = live.source.bootstrap_servers, live.launcher.job_name
    with paused(live.stack.cluster.parts()["jobmanager"]):
        ahead = committed_posts(servers, name) + AHEAD_POSTS
        live.launcher.until(
            lambda: committed_posts(servers, name) >= ahead, "no offsets were committed", 60
        )
        killed = _kill_task_manager(live)
    _start_again(live, killed)


def kill_job_manager(live: Live) -> None:
    """Kill -9; start it again two seconds later."""
    live.stack.cluster.kill("jobmanager")
    _start_again(live, "jobmanager")


def kill_worker(live: Live) -> None:
    """Kill -9 one Beam worker; nobody else starts it again."""
    os.kill(live.chance.choice(live.stack.cluster.workers()), signal.SIGKILL)


def kill_broker(live: Live) -> None:
    """Kill -9; start it again five seconds later."""
    live.source.kill()
    time.sleep(5)
    live.source.start()


def kill_launcher(live: Live) -> None:
    """Kill -9 and start again: it must find the job that runs, and submit nothing."""
    live.launcher.kill()
    time.sleep(2)
    live.launcher.start()
    wait(lambda: "runs already" in live.launcher.log.read_text(errors="replace"), 180)
    if len(live.launcher.job_ids()) != 1:
        raise RunLostError(f"submitted again: {live.launcher.job_ids()}")


def kill_everything_local(live: Live) -> None:
    """Kill -9 launcher, Flink and workers at once; the launcher is started again."""
    live.launcher.kill_all()
    time.sleep(2)
    live.launcher.start()


def stop_local(live: Live) -> None:
    """SIGTERM, which stops with a savepoint; the launcher is started again."""
    assert live.launcher.process is not None
    live.launcher.process.terminate()
    live.launcher.await_end()
    live.launcher.start()


def pause_broker(live: Live) -> None:
    """SIGSTOP for 15 to 20 seconds."""
    with paused(live.source.process):
        time.sleep(live.chance.uniform(15, 20))


def slow_sink(live: Live) -> None:
    """The results' broker runs for a tenth of the time, in slices of a second or two, for 40 s."""
    end = time.monotonic() + 40
    while time.monotonic() < end:
        with paused(live.sink.process):
            time.sleep(live.chance.uniform(1.0, 2.0))
        time.sleep(0.15)


def sink_down(live: Live) -> None:
    """The results' broker is stopped for a minute; posts go on coming."""
    live.sink.stop()
    time.sleep(60)
    live.sink.start()


def fill_disk(live: Live) -> None:
    """The broker's partition is filled; 20 seconds later there is room, and it runs again."""
    ballast = live.source.home / "ballast"
    _fill(ballast)
    time.sleep(20)
    ballast.unlink()
    live.source.kill()  # it has ended already, or has given up the disk for good
    live.source.start()


def upgrade(live: Live) -> None:
    """Stop with a savepoint, start again from it."""
    live.launcher.command("job", "stop")
    live.launcher.await_end()
    live.launcher.start()


FAULTS: dict[str, Fault] = {
    "none": Fault("none (bounded replay of the same offsets equals the live run)"),
    "task-manager": Fault("kill -9 of a task manager", kill_task_manager),
    "job-manager": Fault("kill -9 of the job manager", kill_job_manager),
    "worker": Fault("kill -9 of a Beam worker", kill_worker),
    "broker": Fault("kill -9 of the Kafka broker, back after 5 s", kill_broker),
    "launcher": Fault("kill -9 of the launcher, started again", kill_launcher),
    "local-everything": Fault(
        "Flink `[local]`: kill -9 of everything at once", kill_everything_local, is_local=True
    ),
    "local-stop": Fault("Flink `[local]`: SIGTERM and start", stop_local, is_local=True),
    "paused-broker": Fault("broker paused for 15 to 20 s", pause_broker),
    "full-disk": Fault("broker's disk full for 20 s", fill_disk, sink="small"),
    "duplicates": Fault("posts sent up to 3 times, up to 50 min out of order", form="duplicated"),
    "poison": Fault("300 records of garbage in a row", form="poisoned"),
    "slow-sink": Fault(
        "results' broker paused 9/10 of the time for 40 s", slow_sink, sink="second"
    ),
    "sink-down": Fault("results' broker down for a minute", sink_down, sink="second"),
    "upgrade": Fault("stop with a savepoint, start again", upgrade),
    "task-manager-duplicates": Fault(
        "kill -9 of a task manager amid duplicates", kill_task_manager, form="duplicated"
    ),
    "local-duplicates": Fault(
        "Flink `[local]`: kill -9 of everything amid duplicates",
        kill_everything_local,
        form="duplicated",
        is_local=True,
    ),
    "planted": Fault(
        "planted bug: commits before the checkpoint; kill -9 of a task manager",
        kill_before_checkpoint,
        is_planted=True,
    ),
}


@contextmanager
def paused(server: Process) -> Iterator[None]:
    """Stop a server in its tracks meanwhile."""
    pid = server.pid()
    if pid is None:
        raise RunLostError(f"no {server.name} runs that could be paused ({server.log})")
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 65_536)
        except OSError:
            return
