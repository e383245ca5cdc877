"""Where a Flink job left its state, so that the next one goes on from there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

METADATA = "_metadata"  # Flink writes it last: a folder without it is not whole


def newest_state(folder: Path) -> Path | None:
    """The newest whole checkpoint or savepoint at any depth below `folder`."""
    found = folder.rglob(METADATA) if folder.is_dir() else ()
    newest = max(found, key=lambda file: file.stat().st_mtime_ns, default=None)
    return newest.parent if newest else None


def prune_checkpoints(folder: Path, kept: str) -> None:
    """Remove the checkpoints of all jobs below `folder` but those of the job `kept`."""
    for job in folder.iterdir() if folder.is_dir() else ():
        if job.is_dir() and job.name != kept:
            shutil.rmtree(job, ignore_errors=True)


class JobRecord:
    """What the launcher remembers of its job on a cluster: one small file for each job name."""

    def __init__(self, folder: Path, job_name: str) -> None:
        self._file = folder / f"{job_name}.json"

    def read_state(self) -> str | None:
        """The state to go on from: the newest that this machine sees, or was told of."""
        try:
            path = str(json.loads(self._file.read_text())["state"])
        except (OSError, ValueError, KeyError):
            return None
        job = Path(path.removeprefix("file://").removeprefix("file:")).parent
        if Path(path).name.startswith("savepoint") or not job.is_dir():
            return path
        newest = newest_state(job)
        return newest.as_uri() if newest else path

    def write_state(self, path: str) -> None:
        """Remember a state, in one step so that a kill leaves the old one or the new one."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._file.with_suffix(".part")
        unfinished.write_text(json.dumps({"state": path}))
        unfinished.replace(self._file)
