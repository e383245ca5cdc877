"""Runs a pipeline to its end: counters while it goes, a summary that adds up when it is over."""

from __future__ import annotations

import logging
import os
import resource
import signal
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any, Protocol

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.build import Stages
from pipelines.errors import RunFailedError
from pipelines.monitor import monitor, publish
from pipelines.run_folder import Outcome, RunFolder, count_outcome
from pipelines.runners import Runner
from pipelines.settings import Settings
from pipelines.shadow_summary import ShadowSummary, summarise_shadow
from pipelines.worker import prepare_worker
from schemas.metrics import DUPLICATES, POSTS_READ, WATERMARK, metric_of
from transforms.counters import NAMESPACE

LOG = logging.getLogger(__name__)
POLL_SECONDS = 0.5
PAUSES, LONGEST_PAUSE_SECONDS = 9, 5.0  # between questions, in units of what one took


class Watcher(Protocol):
    """Somebody who wants to see the counters while a run goes on."""

    def update(self, counters: dict[str, int]) -> None:
        """Take the newest counters."""


@dataclass(frozen=True)
class Finished:
    """A run that is over: what it read, what came of it, and what it took."""

    read: int
    duplicates: int
    outcome: Outcome
    seconds: float
    peak_megabytes: float
    cancelled: bool
    resumed: bool = False
    shadow: ShadowSummary | None = None

    @property
    def adds_up(self) -> bool | None:
        """Every post read is a reading, a dead letter or a redelivery that was dropped.

        None where earlier runs wrote to the same folder, so that nobody can tell them apart.
        """
        if self.resumed:
            return None
        return self.read == self.outcome.readings + self.outcome.rejected + self.duplicates


class _Job:
    """A pipeline that runs in the background.

    A streaming runner starts at once and wants the main thread for it; a bounded one returns when
    all is done, so it is started on a thread of its own.
    """

    def __init__(self, pipeline: beam.Pipeline, streams: bool) -> None:
        self.result: Any = start(pipeline) if streams else None
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._finish, args=(pipeline,), daemon=True)
        self._thread.start()

    def _finish(self, pipeline: beam.Pipeline) -> None:
        try:
            self.result = self.result or pipeline.run()
            self.result.wait_until_finish()
        except BaseException as error:  # handed to the main thread, which raises it again
            self.error = error

    def join(self, seconds: float) -> bool:
        """Wait a while; True when the job is over."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def counters(self) -> dict[str, int]:
        """Moodwire's counters and gauges as far as the runner has committed them."""
        if self.result is None:
            return {}
        self.result._metrics = None  # Beam keeps the first answer of a running job for ever
        found = self.result.metrics().query()
        return {**_values(found["counters"]), **_values(found["gauges"])}

    def cancel(self) -> None:
        """Ask the runner to stop."""
        hush_workers()
        if self.result is not None:
            self.result.cancel()


def hush_workers() -> None:
    """Keep it from the terminal that the workers in this process miss a runner that was stopped."""
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - workers print until the process ends


def start(pipeline: beam.Pipeline) -> Any:
    """Start a streaming runner; Beam's own SIGINT handler would stop it under our feet."""
    prepare_worker()  # embedded runners and a local Flink have theirs in this process
    ours = signal.getsignal(signal.SIGINT)
    result = pipeline.run()
    signal.signal(signal.SIGINT, ours)
    return result


def _values(results: list[Any]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for result in results:
        if result.key.metric.namespace == NAMESPACE:
            name = result.key.metric.name
            value = result.committed if result.committed is not None else result.attempted
            totals[name] = totals.get(name, 0) + int(getattr(value, "value", value))
    return totals


@dataclass(frozen=True)
class Run:
    """A run to be made: its settings, where it runs, where it writes, and its stages."""

    settings: Settings
    runner: Runner
    folder: RunFolder
    stages: Stages
    resumed: bool = False

    def snapshot(self, counters: dict[str, int], running: bool) -> None:
        """Leave the newest counters where the live page looks for them.

        They are written again and again: a disk that is full now does not end the run.
        """
        told = {
            **counters,
            "watermark": counters.get(WATERMARK.name),
            "running": running,
            "title": self.settings.title,
            "speed": self.settings.source.speed,
        }
        try:
            self.folder.write_counters(told)
            if (shadow := summarise_shadow(counters)) is not None:
                self.folder.write_shadow(shadow)
        except OSError as error:
            LOG.warning("counters of the run are not written for now: %s", error)


def run(planned: Run, watcher: Watcher, stop: threading.Event | None = None) -> Finished:
    """Run the monitor to its end, or until `stop` is set.

    Raises:
        RunFailedError: the runner gave up.
    """
    pipeline = beam.Pipeline(options=PipelineOptions(list(planned.runner.options)))
    publish(monitor(pipeline, planned.stages), planned.stages)
    started = time.monotonic()
    job = _Job(pipeline, planned.runner.streams)
    counters, cancelled = _follow(job, planned, watcher, stop or threading.Event())
    return Finished(
        read=_total(counters, POSTS_READ.name),
        duplicates=_total(counters, DUPLICATES.name),
        outcome=count_outcome(planned.folder),
        seconds=time.monotonic() - started,
        peak_megabytes=_peak_megabytes(),
        cancelled=cancelled,
        resumed=planned.resumed,
        shadow=summarise_shadow(counters),
    )


def _follow(
    job: _Job, planned: Run, watcher: Watcher, stop: threading.Event
) -> tuple[dict[str, int], bool]:
    """Poll the counters until the job ends; the last counters, and whether it was cancelled.

    To ask for them holds up the workers of this process, so it is done for a tenth of the time.
    """
    over, due = False, 0.0
    while not over and not stop.is_set():
        over = job.join(POLL_SECONDS)
        asked = time.monotonic()
        if over or stop.is_set() or asked >= due:
            counters = job.counters()
            watcher.update(counters)
            planned.snapshot(counters, running=not over)
            now = time.monotonic()
            due = now + min(LONGEST_PAUSE_SECONDS, PAUSES * (now - asked))
    if job.error is not None:
        raise RunFailedError(str(job.error)) from job.error
    if not over:
        job.cancel()
        job.join(10)
    planned.snapshot(counters, running=False)
    return counters, not over


def _peak_megabytes() -> float:
    """Of this process, where the embedded runners have their workers, and its largest child."""
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(resource.getrusage(who).ru_maxrss for who in whose) / 1024


def _total(counters: dict[str, int], metric: str) -> int:
    return sum(n for name, n in counters.items() if metric_of(name) == metric)
