"""A Flink cluster on this machine without containers: `python -m deploy.flink.cluster start`."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import yaml

from deploy.flink.jars import resolve_cluster
from deploy.flink.settings import (
    COORDINATION,
    JAVA_FLAGS,
    LOGGING,
    MANAGER_HEAP,
    cluster_settings,
    job_manager_settings,
    task_manager_memory,
    task_manager_settings,
)
from deploy.jars import find_java
from deploy.ports import Ports, read_ports
from deploy.processes import REPOSITORY, START_SECONDS, Process, ProcessError, members_of, wait

JOB_MANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
COORDINATOR = "org.apache.flink.shaded.zookeeper3.org.apache.zookeeper.server.ZooKeeperServerMain"


@dataclass(frozen=True)
class FlinkCluster:
    """A job manager, its task managers, ZooKeeper for recovery and Beam's worker pool.

    All listen on 127.0.0.1 and keep everything under `home`. Starting leaves alone what runs and
    starts what does not, so that it also mends a cluster of which a part was killed: a job manager
    that comes back finds its jobs and goes on from their last checkpoints.
    """

    home: Path = REPOSITORY / ".run" / "flink"
    ports: Ports = field(default_factory=read_ports)
    task_managers: int = 2
    slots: int = 2
    checkpoint_seconds: float = 5.0

    @property
    def rest(self) -> str:
        """Where jobs are handed in, as `--flink_master` takes it."""
        return f"127.0.0.1:{self.ports.flink_rest}"

    @property
    def pool(self) -> str:
        """Where workers are asked for, as `--environment_config` takes it."""
        return f"127.0.0.1:{self.ports.workers}"

    def parts(self) -> dict[str, Process]:
        """The servers by name, in the order in which they start."""
        ports = {"zookeeper": self.ports.zookeeper, "jobmanager": self.ports.flink_rest}
        ports["workers"] = self.ports.workers
        for number in range(1, self.task_managers + 1):
            settings = task_manager_settings(self.home, self.ports, number)
            ports[f"taskmanager-{number}"] = settings["taskmanager.rpc.port"]
        return {name: Process(name, self.home, port) for name, port in ports.items()}

    def workers(self) -> list[int]:
        """The process ids of the Beam workers, also of a pool that was killed."""
        pool = self.parts()["workers"].recorded()
        return [pid for pid in members_of(pool) if pid != pool] if pool is not None else []

    def start(self, only: Iterable[str] | None = None) -> None:
        """Start the parts that do not run (of those in `only`) and wait until all can be used."""
        parts = self.parts()
        chosen = [parts[name] for name in (parts if only is None else only)]
        missing = [part for part in chosen if part.pid() is None]
        for part in missing:
            part.refuse_taken_port()
        if missing:
            self._write_settings()
        for part in missing:
            shutil.rmtree(self.home / part.name / "blobs", ignore_errors=True)  # 90 MB for each job
            shutil.rmtree(self.home / part.name / "tmp", ignore_errors=True)
            (self.home / part.name / "tmp").mkdir(parents=True, exist_ok=True)
            part.spawn(self._command(part), self._environment())
        for part in chosen:
            part.await_ready()
        if only is None:
            wait(self._is_complete, START_SECONDS, self._explain)

    def stop(self) -> None:
        """Stop every part in order; the next start finds jobs and checkpoints again."""
        for part in reversed(self.parts().values()):
            part.stop()

    def kill(self, name: str) -> None:
        """End one part as a power cut would."""
        self.parts()[name].kill()

    def _is_complete(self) -> bool:
        return len(self.registered()) >= self.task_managers

    def registered(self) -> list[str]:
        """The task managers that the job manager knows; none where it does not answer."""
        try:
            with urlopen(f"http://{self.rest}/taskmanagers", timeout=5) as answer:
                return [entry["id"] for entry in json.load(answer)["taskmanagers"]]
        except (URLError, OSError, ValueError):
            return []

    def _explain(self) -> str | None:
        reasons = (part.explain_end() for part in self.parts().values())
        return next((reason for reason in reasons if reason), None)

    def _write_settings(self) -> None:
        folder = self.home / "conf"
        for made in (
            folder,
            self.home / "tmp",
            self.home / "checkpoints",
            self.home / "savepoints",
        ):
            made.mkdir(parents=True, exist_ok=True)
        settings = cluster_settings(self.home, self.ports, self.slots, self.checkpoint_seconds)
        (folder / "config.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))
        (folder / "log4j.properties").write_text(LOGGING)
        data = self.home / "zookeeper" / "data"
        text = COORDINATION.format(data=data, port=self.ports.zookeeper)
        (folder / "zoo.cfg").write_text(text)

    def _command(self, part: Process) -> list[str]:
        folder = self.home / "conf"
        if part.name == "workers":
            module = [sys.executable, "-m", "deploy.flink.worker_pool"]
            return [*module, "--port", str(part.port), "--process", part.mark]
        java = [find_java("Flink"), *JAVA_FLAGS, f"-Dmoodwire.process={part.mark}"]
        java += [f"-Dlog4j.configurationFile={folder / 'log4j.properties'}"]
        jars = resolve_cluster()
        path = ["-cp", f"{jars / 'lib'}/*"]
        if part.name == "zookeeper":
            java += ["-Xmx128m", "-Dzookeeper.admin.enableServer=false"]
            return [*java, *path, COORDINATOR, str(folder / "zoo.cfg")]
        if part.name == "jobmanager":
            own = job_manager_settings(self.home, self.ports)
            java += [f"-Xmx{MANAGER_HEAP}m", "-XX:MaxMetaspaceSize=256m"]
            return [*java, *path, JOB_MANAGER, *_options(folder, own)]
        own = task_manager_settings(self.home, self.ports, int(part.name.rpartition("-")[2]))
        return [*java, *task_manager_memory(), *path, TASK_MANAGER, *_options(folder, own)]

    def _environment(self) -> dict[str, str]:
        """What every part gets: this shell's variables, so that workers know the secrets."""
        found = os.environ.get("PYTHONPATH")
        places = os.pathsep.join([str(REPOSITORY), *([found] if found else [])])
        plugins = str(resolve_cluster() / "plugins")
        return {**os.environ, "PYTHONPATH": places, "FLINK_PLUGINS_DIR": plugins}


def _options(folder: Path, settings: Mapping[str, object]) -> list[str]:
    own = [part for key, value in settings.items() for part in ("-D", f"{key}={value}")]
    return ["--configDir", str(folder), *own]


def main(arguments: list[str] | None = None) -> int:
    """Start or stop the cluster or one part, or look at it."""
    parser = argparse.ArgumentParser(prog="python -m deploy.flink.cluster", description=__doc__)
    parser.add_argument("action", choices=("start", "stop", "kill", "status"))
    parser.add_argument("part", nargs="*", help="zookeeper, jobmanager, taskmanager-1, workers …")
    parser.add_argument("--home", type=Path, default=FlinkCluster.home)
    parser.add_argument("--task-managers", type=int, default=2)
    parser.add_argument("--slots", type=int, default=2, help="of each task manager")
    options = parser.parse_args(arguments)
    cluster = FlinkCluster(
        options.home.resolve(), task_managers=options.task_managers, slots=options.slots
    )
    try:
        act(cluster, options.action, options.part)
    except ProcessError as error:
        print(error, file=sys.stderr)
        return 1
    for part in cluster.parts().values():
        print(part.row())
    return 0


def act(cluster: FlinkCluster, action: str, names: list[str]) -> None:
    """Do `action` to the named parts, to all where none is named."""
    unknown = set(names) - cluster.parts().keys()
    if unknown:
        raise ProcessError(f"no part {min(unknown)}; there are {', '.join(cluster.parts())}")
    if action == "start":
        cluster.start(names or None)
    elif action == "stop" and not names:
        cluster.stop()
    elif action != "status":
        for name in names or cluster.parts():
            getattr(cluster.parts()[name], action)()


if __name__ == "__main__":
    sys.exit(main())
