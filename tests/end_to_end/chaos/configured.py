"""The settings of a run: the demo's brands, its own topics, its own job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from deploy.kafka.broker import Broker
from pipelines.commands import DEMO
from tests.end_to_end.chaos.stack import CHECKPOINT_SECONDS, Stack

# A stream so short has to raise an alert, or there would be none to compare.
ALERTS = {"sensitivity": "high", "min_posts": 4, "min_authors": 3, "warm_up_windows": 3}


def write_settings(
    file: Path,
    name: str,
    source: dict[str, Any],
    sinks: dict[str, Any],
    flink: dict[str, Any] | None = None,
    *,
    engine: str = "auto",
) -> Path:
    """Settings of a run called `name`, written to `file`."""
    demo: dict[str, Any] = yaml.safe_load((DEMO / "moodwire.yaml").read_text())
    settings = {
        **demo,
        "title": name,
        "source": {"disorder_seconds": 120, "kafka": {**source, "group_id": name}},
        "alerts": ALERTS,
        "model": {"threads": 1, "engine": engine},
        "sinks": sinks,
    }
    if flink is not None:
        settings["flink"] = {"job_name": name, **flink}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(settings, sort_keys=False))
    return file


def live_settings(
    stack: Stack, folder: Path, name: str, *, is_local: bool, source: Broker, sink: Broker
) -> Path:
    """Settings of a live run on the cluster, or on a Flink of its own."""
    prefix = f"{name}-"
    flink: dict[str, Any] = {
        "parallelism": 2,
        "checkpoint_seconds": CHECKPOINT_SECONDS,
        "folder": str(folder / "flink"),
    }
    if is_local:
        flink |= {"master": "local", "rest_port": stack.local_rest}
    else:
        flink |= {"master": stack.cluster.rest, "workers": stack.cluster.pool}
    return write_settings(
        folder / "moodwire.yaml",
        name,
        source={
            "bootstrap_servers": source.bootstrap_servers,
            "topics": [f"{prefix}posts"],
            "start": "earliest",
        },
        sinks={"kafka": {"bootstrap_servers": sink.bootstrap_servers, "topic_prefix": prefix}},
        flink=flink,
    )
