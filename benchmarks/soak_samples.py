"""What a soak looks at every ten seconds."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import load
from benchmarks.memory import command, cpu_seconds, descendants, megabytes
from benchmarks.monitor_runs import Topics
from deploy.stack import Stack
from pipelines.flink.rest import FlinkRefusedError, FlinkRest, FlinkUnreachableError
from pipelines.flink.samples import counters_of
from schemas.metrics import WATERMARK

HEAP = "Status.JVM.Memory.Heap.Used"


class Sampler:
    """Looks at the processes, the topics and the job of a stack."""

    def __init__(self, stack: Stack, topics: Topics, job_name: str = "bench") -> None:
        self._stack = stack
        self._topics = topics
        self._rest = FlinkRest(stack.flink.rest)
        self._job_name = job_name

    def take(self) -> dict[str, Any]:
        """One sample; what could not be asked is left out."""
        ends, committed = self._topics.ends(), self._topics.committed()
        pids = self.processes()
        return {
            "at": time.time(),
            "load": load(),
            "megabytes": {name: megabytes(pid) for name, pid in pids.items()},
            "heap_megabytes": self._heaps(),
            "cpu_seconds": {name: cpu_seconds(pid) for name, pid in pids.items()},
            "topics": ends,
            "lag": ends["posts"] - committed,
            **self._job(),
        }

    def processes(self) -> dict[str, int]:
        """Every process of the stack by a name that tells it from others of its kind."""
        found = {name: part.pid() for name, part in self._stack.flink.parts().items()}
        found["broker"] = self._stack.broker.pid()
        for pid in self._stack.flink.workers():
            found[f"worker-{pid}"] = pid
        for pid in descendants(os.getpid())[1:]:
            if "pipelines.command_line" in command(pid):
                found["launcher"] = pid
        found["benchmark"] = os.getpid()
        return {name: pid for name, pid in found.items() if pid is not None}

    def _heaps(self) -> dict[str, float]:
        """What objects take of the heap of each part of Flink, garbage of the moment included."""
        read = self._rest.read
        try:
            managers = read("/taskmanagers")["taskmanagers"]
            places = {m["id"]: f"/taskmanagers/{m['id']}" for m in managers}
            places["jobmanager"] = "/jobmanager"
            found = {name: read(f"{at}/metrics?get={HEAP}") for name, at in places.items()}
        except (FlinkUnreachableError, FlinkRefusedError):
            return {}
        return {name: int(rows[0]["value"]) / 1e6 for name, rows in found.items() if rows}

    def _job(self) -> dict[str, Any]:
        try:
            job = self._rest.find(self._job_name)
            if job is None:
                return {}
            counters = counters_of(self._rest, job.job_id)
            return {
                "watermark": counters.get(WATERMARK.name),
                "counters": counters,
                **self._checkpoint(job.job_id),
            }
        except (FlinkUnreachableError, FlinkRefusedError):
            return {}

    def _checkpoint(self, job_id: str) -> dict[str, Any]:
        newest = self._rest.newest_checkpoint(job_id)
        if newest is None:
            return {}
        folder = self._stack.flink.home / "checkpoints" / job_id
        return {
            "checkpoint_at": newest.completed_at,
            "checkpoint_milliseconds": newest.milliseconds,
            "checkpoint_bytes": newest.state_bytes,
            "checkpoints_on_disk_bytes": size_of(folder),
        }

    @staticmethod
    def line(sample: dict[str, Any]) -> str:
        """A sample for the terminal."""
        memory = " ".join(f"{shortened(name)} {mb:.0f}" for name, mb in sample["megabytes"].items())
        return (
            f"{time.strftime('%H:%M:%S')} sent {sample['sent']:,} read "
            f"{sample['topics']['readings']:,} lag {sample['lag']:,} checkpoint "
            f"{sample.get('checkpoint_milliseconds', '-')} ms "
            f"{sample.get('checkpoint_bytes', 0) / 1e6:.1f} MB | {memory}"
        )


def shortened(name: str) -> str:
    """A short name for the terminal."""
    return name.replace("taskmanager", "tm").replace("jobmanager", "jm")


def size_of(folder: Path) -> int:
    """Bytes of all files below, of which some may go while one looks."""
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size
        except OSError:
            continue
    return total
