"""The two forms of Flink: in this process with its state on disk, or a cluster elsewhere."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from pipelines.flink.job_server import find_job_server
from pipelines.flink.settings import FlinkSettings
from pipelines.flink.states import JobRecord, newest_state
from pipelines.settings import SettingsError

FLINK_VERSION = "1.19"
# Of every job: checkpoints overtake the posts that wait between reading and the model.
JOB_CONFIGURATION = """\
execution.checkpointing.unaligned: true
execution.checkpointing.aligned-checkpoint-timeout: 2 s
execution.checkpointing.tolerable-failed-checkpoints: 1000000
"""
# Of a Flink of our own; a cluster has its own (deploy/flink/settings.py).
LOCAL_CONFIGURATION = """\
rest.bind-address: 127.0.0.1
rest.address: 127.0.0.1
rest.bind-port: {port}
rest.port: {port}
taskmanager.numberOfTaskSlots: {slots}
taskmanager.network.memory.buffer-debloat.enabled: true
state.backend.type: hashmap
state.checkpoints.dir: {folder}/checkpoints
state.savepoints.dir: {folder}/savepoints
state.checkpoints.num-retained: 2
restart-strategy.type: exponential-delay
restart-strategy.exponential-delay.initial-backoff: 1 s
restart-strategy.exponential-delay.max-backoff: 30 s
"""


@dataclass(frozen=True)
class Engine:
    """Where the job runs, and where its state lies.

    Attributes:
        rest: address of the job manager's REST interface.
    """

    settings: FlinkSettings

    @property
    def is_local(self) -> bool:
        """Whether Flink runs inside the launcher's job server."""
        return self.settings.master == "local"

    @property
    def rest(self) -> str:
        """Where the job manager answers."""
        return f"127.0.0.1:{self.settings.rest_port}" if self.is_local else self.settings.master

    @property
    def folder(self) -> Path:
        """What this machine remembers of the job; with a local Flink all of its state."""
        return Path(self.settings.folder).resolve()

    @property
    def record(self) -> JobRecord:
        """The memory of a job on a cluster."""
        return JobRecord(self.folder, self.settings.job_name)

    def find_state(self) -> str | None:
        """The state to go on from, None for a first run."""
        if not self.is_local:
            return self.record.read_state()
        newest = newest_state(self.folder)
        return newest.as_uri() if newest else None

    def write_configuration(self, state: str | None) -> Path:
        """The folder of Flink's configuration for the job server."""
        place = self.folder / "conf"
        place.mkdir(parents=True, exist_ok=True)
        text = JOB_CONFIGURATION + (self._local_configuration(state) if self.is_local else "")
        for name in (
            "config.yaml",
            "flink-conf.yaml",
        ):  # Flink 1.19 reads the new name, 1.18 the old
            (place / name).unlink(missing_ok=True)
        (place / "flink-conf.yaml").write_text(text)
        return place

    def options(self, state: str | None) -> tuple[str, ...]:
        """Beam's options for this engine."""
        settings = self.settings
        jar = find_job_server()
        return (
            "--streaming",
            f"--job_name={settings.job_name}",
            f"--flink_version={FLINK_VERSION}",
            f"--flink_master={'[local]' if self.is_local else settings.master}",
            *((f"--flink_job_server_jar={jar}",) if jar else ()),
            *self._environment(),
            f"--parallelism={settings.parallelism}",
            f"--checkpointing_interval={int(settings.checkpoint_seconds * 1000)}",
            "--finish_bundle_before_checkpointing",  # without it a job can run and emit nothing
            f"--max_bundle_time_mills={settings.bundle_milliseconds}",
            f"--max_bundle_size={settings.bundle_posts}",
            "--externalized_checkpoints_enabled",
            "--retain_externalized_checkpoints_on_cancellation",
            "--fail_on_checkpointing_errors",  # read as false: one that fails is tried again
            *((f"--savepoint_path={state}",) if state and not self.is_local else ()),
        )

    def _environment(self) -> tuple[str, ...]:
        if self.is_local:
            return ("--environment_type=LOOPBACK",)
        return ("--environment_type=EXTERNAL", f"--environment_config={self.settings.workers}")

    def _local_configuration(self, state: str | None) -> str:
        text = LOCAL_CONFIGURATION.format(
            port=self.settings.rest_port,
            slots=self.settings.parallelism,
            folder=self.folder.as_uri(),
        )
        return text + (f"execution.savepoint.path: {state}\n" if state else "")


def check_engine(settings: FlinkSettings) -> Engine:
    """The engine that the settings want.

    Raises:
        SettingsError: something that it needs is missing, with the remedy.
    """
    if shutil.which("java") is None:
        raise SettingsError(
            "flink: needs `java`, which is not on PATH: apt-get install openjdk-17-jre-headless"
        )
    if settings.master != "local" and settings.workers is None:
        raise SettingsError(
            "flink.workers: a cluster needs the address of the Beam worker pool as its task "
            "managers see it, for example localhost:50001"
        )
    return Engine(settings)
