"""Memory and processor time of processes, as Linux's /proc tells them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def megabytes(pid: int, field: str = "VmRSS") -> float | None:
    """Resident memory of a process (`VmHWM`: its peak); None where it is gone."""
    try:
        lines = (PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return None
    found = (line.split()[1] for line in lines if line.startswith(f"{field}:"))
    return next((int(kilobytes) / 1024 for kilobytes in found), None)


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used, 0 where it is gone."""
    stat = _stat(pid)
    return (int(stat[11]) + int(stat[12])) / TICKS if stat else 0.0


def descendants(pid: int) -> list[int]:
    """A process and all that came of it."""
    parents = {int(p.name): _parent(int(p.name)) for p in PROC.iterdir() if p.name.isdigit()}
    family = [pid]
    for member in family:
        family += [child for child, parent in parents.items() if parent == member]
    return family


def command(pid: int) -> str:
    """The command line of a process, empty where it is gone."""
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def peaks(pids: Iterable[int]) -> dict[str, float]:
    """Peak memory by kind of process; of several of a kind the sum."""
    found: dict[str, float] = {}
    for pid in pids:
        if peak := megabytes(pid, "VmHWM"):
            kind = kind_of(command(pid))
            found[kind] = round(found.get(kind, 0.0) + peak, 1)
    return found


def kind_of(line: str) -> str:
    """What a process is, by its command line.

    >>> kind_of("java -cp lib/* kafka.Kafka server.properties")
    'broker'
    >>> kind_of("/usr/bin/python -m benchmarks.source_job --engine prism")
    'python'
    """
    signs = {
        "kafka.Kafka": "broker",
        "StandaloneSessionClusterEntrypoint": "jobmanager",
        "TaskManagerRunner": "taskmanager",
        "ZooKeeperServerMain": "zookeeper",
        "deploy.flink.worker_pool": "worker-pool",
        "deploy.flink.worker ": "worker",
        "job-server": "job-server",
        "prism": "prism",
        "expansion": "expansion-service",
    }
    first, *_ = line.split() or [""]
    if first.endswith("prism"):
        return "prism"
    del signs["prism"]
    return next((kind for sign, kind in signs.items() if sign in line), "python")


def _parent(pid: int) -> int:
    stat = _stat(pid)
    return int(stat[1]) if stat else 0


def _stat(pid: int) -> list[str]:
    """The fields after the name: state, parent, ... (proc(5), from the third on)."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
