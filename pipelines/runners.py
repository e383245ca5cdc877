"""Which embedded Beam runner a run gets, and the options that runner needs."""

from __future__ import annotations

import os
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import worker_handlers
from apache_beam.runners.portability.prism_runner import PrismRunner

from pipelines.whole_bundles import keep_bundles_whole

ROOT = Path(__file__).resolve().parents[1]
DOWNLOAD_TIMEOUT_SECONDS = 20
# Beam ends its stream of job states by the timeout of single calls: five minutes into every run.
LONGEST_RUN_SECONDS = 10 * 365 * 24 * 3600
PRISM_REMARK = (
    "Beam's local streaming runner; keeps no state, and its ports are open on every interface "
    "while it runs"
)


class NoRunnerError(RuntimeError):
    """The runner that was asked for is not to be had on this machine."""


@dataclass(frozen=True)
class Runner:
    """A runner by the name people know it, its Beam options and a remark for the terminal."""

    name: str
    options: tuple[str, ...]
    remark: str
    streams: bool = True


def find_prism() -> str | None:
    """A Prism binary: MOODWIRE_PRISM, the checkout's `.tools/prism`, or `prism` on the PATH."""
    named = os.environ.get("MOODWIRE_PRISM")
    built = ROOT / ".tools" / "prism"
    return named or (str(built) if built.exists() else None) or shutil.which("prism")


def download_prism() -> str | None:
    """Prism as Beam itself downloads and caches it, None where its releases are out of reach."""
    waited = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT_SECONDS)
    try:
        server = PrismRunner().default_job_server(PipelineOptions([]))
        return str(server.local_bin(server.path_to_binary()))
    except (OSError, RuntimeError, ValueError):
        return None
    finally:
        socket.setdefaulttimeout(waited)


def choose_runner(wanted: str, extra: tuple[str, ...] = ()) -> Runner:
    """The embedded runner named `wanted`; `auto` is Prism where it can be had, else in memory.

    Raises:
        NoRunnerError: `wanted` is Prism and there is none, with the remedy.
    """
    if wanted == "in-memory":
        return _in_memory(extra, "bounded, in memory (FnApiRunner)")
    prism = find_prism() or download_prism()
    if prism:
        return _prism(prism, extra)
    if wanted == "prism":
        raise NoRunnerError("no Prism here: run `make prism` (needs Go), or use --runner in-memory")
    return _in_memory(
        extra,
        "bounded run on FnApiRunner: there is no Prism here, so results come at the end of each "
        "stage instead of live (`make prism` builds it where Go is installed)",
    )


def _prism(location: str, extra: tuple[str, ...]) -> Runner:
    keep_bundles_whole()
    options = (
        "--runner=PrismRunner",
        f"--prism_location={location}",
        "--prism_log_level=warn",
        "--environment_type=LOOPBACK",
        "--streaming",
        f"--job_server_timeout={LONGEST_RUN_SECONDS}",
    )
    return Runner("Prism", (*options, *extra), PRISM_REMARK)


def _in_memory(extra: tuple[str, ...], remark: str) -> Runner:
    # Beam measures what its state cache holds by walking every loaded module at each write.
    worker_handlers.STATE_CACHE_SIZE_MB = 0
    return Runner("FnApiRunner", ("--runner=FnApiRunner", *extra), remark, streams=False)
