"""What Flink says of its jobs, over the REST interface of its job manager.

Paths and fields: Flink 1.19, "REST API" in its operations manual.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pipelines.settings import SettingsError

ANSWER_SECONDS = 10.0
SAVEPOINT_SECONDS = 300.0
ALIVE = frozenset({"INITIALIZING", "CREATED", "RUNNING", "RESTARTING", "FAILING", "RECONCILING"})
QUESTION_CHARACTERS = 3000  # Flink reads addresses of at most 4096


class FlinkUnreachableError(SettingsError):
    """No job manager answers."""


class FlinkRefusedError(RuntimeError):
    """Flink answered that it will not, or could not; the message is its own."""


@dataclass(frozen=True)
class JobState:
    """One job as the job manager sees it."""

    job_id: str
    name: str
    state: str

    @property
    def is_alive(self) -> bool:
        """Whether it runs, or Flink is about to make it run again."""
        return self.state in ALIVE


@dataclass(frozen=True)
class Checkpoint:
    """A completed checkpoint or savepoint."""

    path: str
    milliseconds: int
    state_bytes: int
    completed_at: float  # epoch seconds


class FlinkRest:
    """Asks one job manager.

    Every question raises FlinkUnreachableError when nobody answers, FlinkRefusedError when Flink
    says no.
    """

    def __init__(self, address: str) -> None:
        self.address = address.removeprefix("http://").rstrip("/")

    def jobs(self) -> list[JobState]:
        """All jobs that the job manager remembers, the newest first."""
        found = self._ask("GET", "/jobs/overview")["jobs"]
        newest_first = sorted(found, key=lambda job: -job["start-time"])
        return [JobState(job["jid"], job["name"], job["state"]) for job in newest_first]

    def find(self, name: str) -> JobState | None:
        """The living job of that name."""
        return next((job for job in self.jobs() if job.name == name and job.is_alive), None)

    def state(self, job_id: str) -> JobState | None:
        """The job as it stands; None where the job manager does not know it."""
        return next((job for job in self.jobs() if job.job_id == job_id), None)

    def task_managers(self) -> int:
        """How many task managers have registered."""
        return int(self._ask("GET", "/overview")["taskmanagers"])

    def failure(self, job_id: str) -> str:
        """Why the job failed last, empty where it did not."""
        answer = self._ask("GET", f"/jobs/{job_id}/exceptions")
        return str(answer.get("root-exception") or "")

    def newest_checkpoint(self, job_id: str) -> Checkpoint | None:
        """The newest completed checkpoint or savepoint that lies outside of Flink's memory."""
        latest = self._ask("GET", f"/jobs/{job_id}/checkpoints")["latest"]
        found = [latest[kind] for kind in ("completed", "savepoint") if latest.get(kind)]
        outside = [
            one for one in found if "://" in one["external_path"] or "/" in one["external_path"]
        ]
        if not outside:
            return None
        newest = max(outside, key=lambda one: one["latest_ack_timestamp"])
        return Checkpoint(
            newest["external_path"],
            newest["end_to_end_duration"],
            newest["state_size"],
            newest["latest_ack_timestamp"] / 1000,
        )

    def samples(self, job_id: str, wanted: Callable[[str], bool]) -> dict[str, tuple[float, float]]:
        """Sum and highest over the subtasks of every metric whose Flink name is `wanted`."""
        found: dict[str, tuple[float, float]] = {}
        for vertex in self._ask("GET", f"/jobs/{job_id}")["vertices"]:
            place = f"/jobs/{job_id}/vertices/{vertex['id']}/subtasks/metrics"
            names = [metric["id"] for metric in self._ask("GET", place) if wanted(metric["id"])]
            for asked in questions(names):
                for answer in self._ask("GET", f"{place}?get={asked}&agg=sum,max"):
                    found[answer["id"]] = answer["sum"], answer["max"]
        return found

    def stop_with_savepoint(self, job_id: str, folder: str | None = None) -> str:
        """Let the job finish what it holds, write a savepoint and end; the savepoint's path."""
        wish = {"drain": False, **({"targetDirectory": folder} if folder else {})}
        trigger = self._ask("POST", f"/jobs/{job_id}/stop", wish)["request-id"]
        return self._await_savepoint(job_id, trigger)

    def savepoint(self, job_id: str, folder: str | None = None) -> str:
        """Write a savepoint of a job that goes on; its path."""
        wish = {"cancel-job": False, **({"target-directory": folder} if folder else {})}
        trigger = self._ask("POST", f"/jobs/{job_id}/savepoints", wish)["request-id"]
        return self._await_savepoint(job_id, trigger)

    def cancel(self, job_id: str) -> None:
        """End the job at once; its newest checkpoint stays."""
        self._ask("PATCH", f"/jobs/{job_id}?mode=cancel")

    def read(self, path: str) -> Any:
        """What Flink answers at a path that no other method asks."""
        return self._ask("GET", path)

    def _await_savepoint(self, job_id: str, trigger: str) -> str:
        deadline = time.monotonic() + SAVEPOINT_SECONDS
        while time.monotonic() < deadline:
            answer = self._ask("GET", f"/jobs/{job_id}/savepoints/{trigger}")
            if answer["status"]["id"] == "COMPLETED":
                return _location(answer["operation"])
            time.sleep(0.2)
        raise FlinkRefusedError(f"no savepoint of job {job_id} in {SAVEPOINT_SECONDS:.0f} s")

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            f"http://{self.address}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            if error.code == HTTPStatus.SERVICE_UNAVAILABLE:  # no leader is elected yet
                raise self._unreachable(_said(error)) from error
            raise FlinkRefusedError(f"{method} {path}: {_said(error)}") from error
        except (OSError, ValueError) as error:
            raise self._unreachable(error) from error

    def _unreachable(self, why: object) -> FlinkUnreachableError:
        return FlinkUnreachableError(
            f"flink.master: no Flink answers at {self.address} ({why}). "
            "Start it (make up) or correct the address"
        )


def questions(names: Iterable[str]) -> list[str]:
    """Metric names, quoted and joined by commas, in as few parts as addresses have room for."""
    parts: list[str] = []
    for name in (urllib.parse.quote(one, safe="") for one in names):
        if parts and len(parts[-1]) + len(name) < QUESTION_CHARACTERS:
            parts[-1] += f",{name}"
        else:
            parts.append(name)
    return parts


def _location(operation: dict[str, Any]) -> str:
    if "location" not in operation:
        cause = operation.get("failure-cause", {}).get("stack-trace", "no reason given")
        raise FlinkRefusedError(f"the savepoint failed: {cause.splitlines()[0]}")
    return str(operation["location"])


def _said(error: urllib.error.HTTPError) -> str:
    """The first line of Flink's own words."""
    try:
        errors = json.loads(error.read())["errors"]
        return str(errors[-1]).splitlines()[0]
    except (ValueError, KeyError, IndexError, TypeError):
        return str(error)
