"""Beam's job server for Flink, as a child that never outlives this process."""

from __future__ import annotations

import logging
import os
import re
import shutil
from pathlib import Path
from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.flink_runner import FlinkJarJobServer, FlinkRunner
from apache_beam.runners.portability.job_server import JobServer, StopOnExitJobServer

ROOT = Path(__file__).resolve().parents[2]


def find_job_server() -> str | None:
    """MOODWIRE_FLINK_JOB_SERVER or the checkout's jar; None lets Beam fetch its own."""
    named = os.environ.get("MOODWIRE_FLINK_JOB_SERVER")
    built = ROOT / ".tools" / "flink" / "job-server.jar"
    return named or (str(built) if built.exists() else None)


def read_cause(log: Path) -> str:
    """The innermost cause of the last failure in a job server's log."""
    causes = re.findall(r"Caused by: (.+)", log.read_text(errors="replace")) if log.exists() else []
    return causes[-1] if causes else "no cause given"


class _OwnJobServer(FlinkJarJobServer):
    """Takes Flink's configuration from a folder, and dies with this process even by kill -9."""

    def __init__(self, options: PipelineOptions, configuration: Path) -> None:
        super().__init__(options)  # type: ignore[no-untyped-call]  # Beam's
        self._configuration = configuration
        _log_to(configuration.with_name("job-server.log"))

    def java_arguments(self, *places: Any) -> list[Any]:
        before = super().java_arguments(*places)  # type: ignore[no-untyped-call]
        return [*before, "--flink-conf-dir", str(self._configuration)]

    def subprocess_cmd_and_endpoint(self) -> tuple[list[str], str]:
        command, endpoint = super().subprocess_cmd_and_endpoint()  # type: ignore[no-untyped-call]
        return [*_guard(), *command], endpoint


def _guard() -> list[str]:
    """Ctrl-C at the terminal is for this process, which then stops Flink in order."""
    if not (shutil.which("setsid") and shutil.which("setpriv")):
        return []  # not Linux
    return ["setsid", "setpriv", "--pdeathsig", "KILL"]


def _log_to(file: Path) -> None:
    """What the job server says goes to a file of its own, each run's from its start."""
    logger = logging.getLogger(_OwnJobServer.__name__)  # as Beam names it
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    logger.addHandler(logging.FileHandler(file, mode="w"))
    logger.setLevel(logging.INFO)
    logger.propagate = False


class ConfiguredFlinkRunner(FlinkRunner):
    """Beam's Flink runner with a job server of our configuration, which can be stopped alone."""

    def __init__(self, configuration: Path) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Beam's
        self._configuration = configuration
        self.job_server: JobServer | None = None

    def default_job_server(self, options: PipelineOptions) -> JobServer:
        """The job server that this runner starts, as Beam asks for it."""
        super().default_job_server(options)  # type: ignore[no-untyped-call]  # completes the address
        self.job_server = StopOnExitJobServer(_OwnJobServer(options, self._configuration))
        return self.job_server
