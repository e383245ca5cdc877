"""What `moodwire run --runner flink` and `moodwire job` do."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from pipelines.build import build_stages
from pipelines.flink.engine import Engine, check_engine
from pipelines.flink.launch import Following, Launch, launch
from pipelines.flink.rest import FlinkRest, JobState
from pipelines.flink.samples import counters_of
from pipelines.models_command import remarks
from pipelines.settings import Settings, SettingsError, load_settings
from pipelines.terminal import Progress, describe, stop_on_signals

OK, NOT_RUNNING = 0, 1


def run_on_flink(settings: Settings, args: argparse.Namespace, console: Console) -> int:
    """Start or find the job and follow it.

    Ctrl-C ends a local job with a savepoint, from which the next run goes on; a job on a cluster
    goes on without us.
    """
    if settings.sinks.kafka is None:
        raise SettingsError(
            "sinks.kafka: on Flink the workers may be on other machines, so results go to Kafka "
            "topics; name them, for example `sinks: {kafka: {bootstrap_servers: localhost:9092}}`"
        )
    engine = check_engine(settings.flink)
    console.print(f"[bold]Flink[/]: {_remark(engine)}", highlight=False)
    for remark in remarks(settings):
        console.print(remark, highlight=False, soft_wrap=True, markup=False)
    with stop_on_signals() as stop:
        launched = launch(
            engine,
            lambda: build_stages(settings, None, readers=settings.flink.parallelism),
            stop,
            args.beam_options,
            fresh=args.fresh,
        )
        console.print(_how(launched), highlight=False, soft_wrap=True)
        following = Following(engine, launched)
        with Progress(console) as progress:
            over = following.follow(progress, stop)
        if not over:
            console.print(_farewell(engine, following), highlight=False, soft_wrap=True)
    return OK


def manage_job(args: argparse.Namespace, console: Console) -> int:
    """Look at the job of the settings, or stop, save or cancel it."""
    engine = check_engine(load_settings(args.settings).flink)
    rest = FlinkRest(engine.rest)
    job = rest.find(engine.settings.job_name)
    if job is None:
        console.print(f"no job {engine.settings.job_name!r} runs at {engine.rest}")
        return NOT_RUNNING
    if args.action == "status":
        console.print(_status(rest, job))
        return OK
    console.print(_ACTIONS[args.action](engine, rest, job), highlight=False, soft_wrap=True)
    return OK


def _stop(engine: Engine, rest: FlinkRest, job: JobState) -> str:
    path = rest.stop_with_savepoint(job.job_id)
    engine.record.write_state(path)
    return f"stopped; the next `moodwire run` goes on from {path}"


def _savepoint(engine: Engine, rest: FlinkRest, job: JobState) -> str:
    return f"savepoint {rest.savepoint(job.job_id)}; the job goes on"


def _cancel(engine: Engine, rest: FlinkRest, job: JobState) -> str:
    rest.cancel(job.job_id)
    return "cancelled; the next `moodwire run` goes on from its newest checkpoint"


_ACTIONS = {"stop": _stop, "savepoint": _savepoint, "cancel": _cancel}


def _status(rest: FlinkRest, job: JobState) -> Table:
    table = Table(title=job.name, show_header=False)
    table.add_row("job", f"{job.job_id}, {job.state.lower()}")
    table.add_row("task managers", str(rest.task_managers()))
    table.add_row("since its last start", describe(counters_of(rest, job.job_id), rate=None))
    if checkpoint := rest.newest_checkpoint(job.job_id):
        when = datetime.fromtimestamp(checkpoint.completed_at, UTC).isoformat(timespec="seconds")
        size = f"{checkpoint.state_bytes / 1e6:.1f} MB in {checkpoint.milliseconds} ms"
        table.add_row("newest checkpoint", f"{when}, {size}\n{checkpoint.path}")
    return table


def _remark(engine: Engine) -> str:
    if engine.is_local:
        return f"on this machine, state in {engine.folder}; its ports are open on every interface"
    return f"cluster at {engine.rest}, parallelism {engine.settings.parallelism}"


def _how(launched: Launch) -> str:
    if launched.attached:
        return f"the job runs already ({launched.job_id}); following it"
    origin = f"from {launched.state}" if launched.state else "from the start"
    return f"job {launched.job_id}, {origin}"


def _farewell(engine: Engine, following: Following) -> str:
    if engine.is_local:
        return f"stopped with {following.stop()}; the next run goes on from there"
    return "left the job running on the cluster; `moodwire job stop` ends it with a savepoint"
