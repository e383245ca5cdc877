"""Prometheus, Alertmanager and Moodwire's exporter beside the stack, from Debian's packages.

They watch what runs and are not needed for it: where the programs are not installed the stack
comes up without them and says how to get them.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deploy.ports import Ports
from deploy.processes import Process, find_program

FOLDER = Path(__file__).parent
RULES = FOLDER / "rules.yml"
ROUTES = FOLDER / "alertmanager.yml"
PROGRAMS = {"prometheus": "prometheus", "alertmanager": "prometheus-alertmanager"}
REMEDY = "apt-get install --no-install-recommends prometheus prometheus-alertmanager"
SCRAPE_SECONDS = 5
KEPT_DAYS = 15


class Watcher(Process):
    """A server that is told from others by the configuration file that it was given."""

    @property
    def config(self) -> Path:
        """Its configuration, written anew at each start."""
        return self.home / f"{self.name}.yml"

    @property
    def mark(self) -> str:
        """What tells its command line from every other."""
        return str(self.config)


@dataclass(frozen=True)
class Watchers:
    """What watches the stack, each in `home`; starting what runs changes nothing."""

    home: Path
    ports: Ports
    task_managers: int = 2

    def parts(self) -> dict[str, Watcher]:
        """Every server, in the order in which they start."""
        ports = {
            "exporter": self.ports.exporter,
            "alertmanager": self.ports.alertmanager,
            "prometheus": self.ports.prometheus,
        }
        return {name: Watcher(name, self.home, port) for name, port in ports.items()}

    def missing(self) -> list[str]:
        """Programs that this machine lacks."""
        return [name for name in PROGRAMS.values() if shutil.which(name) is None]

    def start(self) -> None:
        """Start what does not run, and wait until all can be asked.

        Raises:
            ProcessError: a port is taken, or a server ended while it started.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        commands, configs = self._commands(), self._configs()
        for name, part in self.parts().items():
            if part.pid() is None:
                part.refuse_taken_port()
                part.config.write_text(yaml.safe_dump(configs[name]), encoding="utf-8")
                part.spawn(commands[name])
        for part in self.parts().values():
            part.await_ready()

    def stop(self) -> None:
        """Stop all; what was recorded stays."""
        for part in reversed(self.parts().values()):
            part.stop()

    def _commands(self) -> dict[str, list[str]]:
        parts = self.parts()
        prometheus = _program("prometheus", parts["prometheus"])
        alertmanager = _program("alertmanager", parts["alertmanager"])
        exporter = [sys.executable, "-m", "pipelines.command_line", "exporter"]
        return {
            "exporter": [
                *exporter,
                f"--settings={parts['exporter'].config}",
                f"--port={self.ports.exporter}",
            ],
            "alertmanager": [
                *alertmanager,
                f"--storage.path={self.home / 'alertmanager'}",
                "--cluster.listen-address=",  # one alone has nobody to gossip with
            ],
            "prometheus": [
                *prometheus,
                f"--storage.tsdb.path={self.home / 'prometheus'}",
                f"--storage.tsdb.retention.time={KEPT_DAYS}d",
                "--web.enable-lifecycle",
                "--enable-feature=exemplar-storage",
            ],
        }

    def _configs(self) -> dict[str, dict[str, Any]]:
        kafka, flink = f"127.0.0.1:{self.ports.kafka}", f"127.0.0.1:{self.ports.flink_rest}"
        return {
            "exporter": {
                "sinks": {"kafka": {"bootstrap_servers": kafka}},
                "flink": {"master": flink},
            },
            "alertmanager": yaml.safe_load(ROUTES.read_text(encoding="utf-8")),
            "prometheus": prometheus_config(self.ports, self.task_managers),
        }


def prometheus_config(ports: Ports, task_managers: int) -> dict[str, Any]:
    """What Prometheus scrapes on this machine, by which rules, and whom it tells."""
    flink = [ports.flink_metrics + number for number in range(task_managers + 1)]
    jobs = {
        "moodwire": [ports.exporter],
        "moodwire-delivery": [ports.delivery],
        "flink": flink,
        "prometheus": [ports.prometheus],
        "alertmanager": [ports.alertmanager],
    }
    alertmanager = {"static_configs": [{"targets": _addresses([ports.alertmanager])}]}
    return {
        "global": {
            "scrape_interval": f"{SCRAPE_SECONDS}s",
            "evaluation_interval": f"{SCRAPE_SECONDS}s",
        },
        "rule_files": [str(RULES)],
        "alerting": {"alertmanagers": [alertmanager]},
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": _addresses(of)}]}
            for job, of in jobs.items()
        ],
    }


def _addresses(ports: list[int]) -> list[str]:
    return [f"127.0.0.1:{port}" for port in ports]


def _program(name: str, part: Watcher) -> list[str]:
    program = find_program(PROGRAMS[name], REMEDY, "watching the stack")
    return [program, f"--config.file={part.config}", f"--web.listen-address={part.address}"]
