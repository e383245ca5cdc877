"""The part of the settings that says how a run uses Apache Flink."""

from __future__ import annotations

from typing import Annotated

import msgspec

from pipelines.strict import Count, Port, Strict


class FlinkSettings(Strict, frozen=True, kw_only=True):
    """How `moodwire run --runner flink` uses Apache Flink: on this machine, or a cluster."""

    master: Annotated[str, msgspec.Meta(pattern=r"^(local|[^\s/]+:\d+)$")] = "local"
    workers: str | None = None
    parallelism: Count = 2
    job_name: Annotated[str, msgspec.Meta(pattern=r"^[\w.-]+$")] = "moodwire"
    checkpoint_seconds: Annotated[float, msgspec.Meta(gt=0)] = 10
    bundle_milliseconds: Count = 500
    bundle_posts: Count = 3000
    folder: str = ".run/flink-job"
    rest_port: Port = 8082
