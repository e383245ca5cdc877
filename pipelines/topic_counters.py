"""Counters of a run on Flink, for those who follow its topics."""

from __future__ import annotations

from pipelines.flink.engine import Engine
from pipelines.flink.rest import FlinkRefusedError, FlinkRest, FlinkUnreachableError
from pipelines.flink.samples import counters_of
from pipelines.flink.settings import FlinkSettings
from pipelines.topic_feed import Counted, ReadCounters
from schemas.metrics import CHECKPOINT


def flink_counters(settings: FlinkSettings) -> ReadCounters:
    """Asks the job manager of the settings; a run on another engine counts for itself."""
    rest = FlinkRest(Engine(settings).rest)

    def read() -> Counted | None:
        try:
            job = next((job for job in rest.jobs() if job.name == settings.job_name), None)
            if job is None:
                return None
            counters = counters_of(rest, job.job_id)
            newest = rest.newest_checkpoint(job.job_id) if job.is_alive else None
        except (FlinkUnreachableError, FlinkRefusedError):
            return None
        if newest is not None:
            counters[CHECKPOINT.name] = int(newest.completed_at)
        return Counted(counters, job.is_alive)

    return read
