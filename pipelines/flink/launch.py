"""Starts the pipeline on Flink, or finds it running, and follows it until somebody stops it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.runner import PipelineState

from pipelines.build import Stages
from pipelines.errors import RunFailedError
from pipelines.flink.engine import Engine
from pipelines.flink.job_server import ConfiguredFlinkRunner, read_cause
from pipelines.flink.rest import FlinkRefusedError, FlinkRest, FlinkUnreachableError, JobState
from pipelines.flink.samples import counters_of
from pipelines.flink.states import prune_checkpoints
from pipelines.flink.step_ids import keep_step_ids
from pipelines.monitor import monitor, publish
from pipelines.run import Watcher, hush_workers, start

POLL_SECONDS = 1.0
START_SECONDS = 180.0
# A local Flink shares our fate, so silence means that it is dead; one elsewhere may come back.
LOCAL_SILENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Launch:
    """How a run on Flink came about.

    Attributes:
        job_id: Flink's name for it.
        attached: it ran already, so nothing was submitted.
        state: the checkpoint or savepoint that it went on from.
    """

    job_id: str
    attached: bool = False
    state: str | None = None


def launch(
    engine: Engine,
    build_stages: Callable[[], Stages],
    stop: threading.Event,
    extra: tuple[str, ...] = (),
    fresh: bool = False,
) -> Launch:
    """Submit the pipeline unless a job of its name runs already.

    It goes on from the newest state of an earlier job unless it is to start `fresh`.

    Raises:
        FlinkUnreachableError: no job manager answers.
        RunFailedError: Flink did not start the job.
    """
    rest = FlinkRest(engine.rest)
    if not engine.is_local and (running := rest.find(engine.settings.job_name)):
        return Launch(running.job_id, attached=True)
    state = None if fresh else engine.find_state()
    runner = ConfiguredFlinkRunner(engine.write_configuration(state))
    stages = build_stages()
    pipeline = beam.Pipeline(runner, PipelineOptions([*engine.options(state), *extra]))
    keep_step_ids(pipeline)
    publish(monitor(pipeline, stages), stages)
    result = start(pipeline)
    job_id = _await_job(rest, engine, result, stop)
    if not engine.is_local and runner.job_server:
        runner.job_server.stop()  # the cluster has all that it needs
    return Launch(job_id, state=state)


def _await_job(rest: FlinkRest, engine: Engine, result: Any, stop: threading.Event) -> str:
    """The id of the job once all of it runs."""
    log = engine.folder / "job-server.log"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and not stop.wait(0.2):
        if result.state == PipelineState.FAILED:
            raise RunFailedError(f"Flink refused the job: {read_cause(log)} ({log} says more)")
        job = _find(rest, engine.settings.job_name)
        if job is not None and job.state == "RUNNING":
            return job.job_id
    why = "stopped" if stop.is_set() else f"not within {START_SECONDS:.0f} s"
    raise RunFailedError(f"Flink did not start the job: {why} ({log} says more)")


def _find(rest: FlinkRest, name: str) -> JobState | None:
    """The living job of that name, None also while a local job manager is still coming up."""
    try:
        return rest.find(name)
    except (FlinkUnreachableError, FlinkRefusedError):
        return None


class Following:
    """A job on Flink as its launcher sees it: counters, newest state, whether it is over."""

    def __init__(self, engine: Engine, launched: Launch) -> None:
        self._engine = engine
        self._job_id = launched.job_id
        self._rest = FlinkRest(engine.rest)
        self._heard = time.monotonic()
        self._state: str | None = None

    def follow(self, watcher: Watcher, stop: threading.Event) -> bool:
        """Report until the job ends (True) or `stop` is set (False).

        Raises:
            RunFailedError: the job failed for good, was cancelled, or a local Flink is gone.
        """
        while not stop.wait(POLL_SECONDS):
            try:
                if self._look(watcher):
                    return True
                self._heard = time.monotonic()
            except (FlinkUnreachableError, FlinkRefusedError) as error:
                self._bear_silence(error)  # refused: too busy, or the job ended; the next look says
        return False

    def stop(self) -> str | None:
        """End a local job with a savepoint, whose path is returned; leave one on a cluster be."""
        if not self._engine.is_local:
            return None
        hush_workers()
        before = self._engine.find_state()
        try:
            return self._rest.stop_with_savepoint(self._job_id)
        except FlinkUnreachableError:  # a local Flink ends with its job, maybe before it answers
            found = self._engine.find_state()
            if found is None or found == before:
                raise
            return found

    def _look(self, watcher: Watcher) -> bool:
        job = self._rest.state(self._job_id)
        if job is None:
            raise RunFailedError(f"Flink no longer knows the job {self._job_id}; start it again")
        if job.state == "FINISHED":
            return True
        if job.state in ("FAILED", "CANCELED", "SUSPENDED"):
            raise RunFailedError(f"{job.state.lower()}: {self._rest.failure(self._job_id)}")
        watcher.update(counters_of(self._rest, self._job_id))
        self._remember()
        return False

    def _remember(self) -> None:
        """Note the newest checkpoint; the first one makes those of earlier jobs useless."""
        found = self._rest.newest_checkpoint(self._job_id)
        if found is None or found.path == self._state:
            return
        if self._engine.is_local and self._state is None:
            prune_checkpoints(self._engine.folder / "checkpoints", kept=self._job_id)
        elif not self._engine.is_local:
            self._engine.record.write_state(found.path)
        self._state = found.path

    def _bear_silence(self, error: Exception) -> None:
        silent = time.monotonic() - self._heard
        if self._engine.is_local and silent > LOCAL_SILENCE_SECONDS:
            raise RunFailedError(
                f"the local Flink is gone ({error}). Start again: it goes on from its newest state"
            ) from error
