"""What the parts of a Flink cluster on one machine are told, as data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deploy.ports import Ports

HOST = "127.0.0.1"
METRICS_PORT = "metrics.reporter.prometheus.port"
# Of one job manager and one task manager. State lies on the task manager's heap, the models in the
# Python workers.
MANAGER_HEAP = 448
TASK_MEMORY = {
    "framework.heap.size": 128,
    "task.heap.size": 640,
    "framework.off-heap.size": 64,
    "task.off-heap.size": 96,
    "network.min": 64,
    "network.max": 64,
    "managed.size": 32,
    "jvm-metaspace.size": 512,  # each job handed in costs 40 of it
    "jvm-overhead.min": 128,
    "jvm-overhead.max": 128,
}


def cluster_settings(home: Path, ports: Ports, slots: int, checkpoint_seconds: float) -> Settings:
    """Flink's settings for every part: where it listens, keeps its state and how it recovers."""
    return {
        "jobmanager.rpc.address": HOST,
        "jobmanager.bind-host": HOST,
        "jobmanager.rpc.port": ports.flink_rpc,
        "jobmanager.memory.heap.size": f"{MANAGER_HEAP}m",
        "blob.server.port": ports.flink_blobs,
        "rest.address": HOST,
        "rest.bind-address": HOST,
        "rest.port": ports.flink_rest,
        "rest.bind-port": ports.flink_rest,
        "taskmanager.host": HOST,
        "taskmanager.bind-host": HOST,
        "taskmanager.numberOfTaskSlots": slots,
        "taskmanager.load-balance.mode": "SLOTS",  # a job takes part of every task manager
        "taskmanager.cpu.cores": 1.0,
        "taskmanager.network.memory.buffer-debloat.enabled": True,  # a second of posts waits
        **{f"taskmanager.memory.{name}": f"{size}m" for name, size in TASK_MEMORY.items()},
        **_state(home, checkpoint_seconds),
        **_recovery(home, ports),
        "metrics.reporters": "prometheus",
        "metrics.reporter.prometheus.factory.class": (
            "org.apache.flink.metrics.prometheus.PrometheusReporterFactory"
        ),
    }


def _state(home: Path, checkpoint_seconds: float) -> Settings:
    return {
        "state.backend.type": "hashmap",  # docs/decisions/0012 on RocksDB
        "state.checkpoints.dir": f"file://{home / 'checkpoints'}",
        "state.savepoints.dir": f"file://{home / 'savepoints'}",
        "state.checkpoints.num-retained": 3,
        "execution.checkpointing.mode": "EXACTLY_ONCE",
        "execution.checkpointing.interval": f"{round(checkpoint_seconds * 1000)} ms",
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        "execution.checkpointing.timeout": "10 min",
        # A Kafka that is away holds bundles, and so checkpoints: no reason to start over.
        "execution.checkpointing.tolerable-failed-checkpoints": 1_000_000,
    }


def _recovery(home: Path, ports: Ports) -> Settings:
    return {
        "high-availability.type": "zookeeper",
        "high-availability.zookeeper.quorum": f"{HOST}:{ports.zookeeper}",
        "zookeeper.sasl.disable": True,
        # A job manager that comes back waits until the one before it counts as gone.
        "high-availability.zookeeper.client.session-timeout": 10_000,
        "high-availability.zookeeper.path.root": "/moodwire",
        "high-availability.cluster-id": "/local",
        "high-availability.storageDir": f"file://{home / 'ha'}",
        "high-availability.jobmanager.port": ports.flink_rpc,
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.initial-backoff": "1 s",
        "restart-strategy.exponential-delay.max-backoff": "10 s",
        "restart-strategy.exponential-delay.reset-backoff-threshold": "1 min",
        "heartbeat.interval": 2_000,
        "heartbeat.timeout": 10_000,
        "taskmanager.registration.timeout": "1 h",  # it waits for a job manager that was killed
    }


def job_manager_settings(home: Path, ports: Ports) -> Settings:
    """What the job manager alone is told."""
    return {**_places(home / "jobmanager"), METRICS_PORT: ports.flink_metrics}


def task_manager_settings(home: Path, ports: Ports, number: int) -> Settings:
    """What tells task manager `number` (from 1) from the others."""
    first = ports.task_managers + 2 * (number - 1)
    return {
        **_places(home / f"taskmanager-{number}"),
        "taskmanager.resource-id": f"taskmanager-{number}",
        "taskmanager.rpc.port": first,
        "taskmanager.data.port": first + 1,
        METRICS_PORT: ports.flink_metrics + number,
    }


def _places(scratch: Path) -> Settings:
    """Where one part keeps what it needs only while it runs: every job's jars, working state."""
    return {
        "blob.storage.directory": str(scratch / "blobs"),
        "web.upload.dir": str(scratch / "upload"),
        "io.tmp.dirs": str(scratch / "tmp"),
    }


def task_manager_memory() -> list[str]:
    """The limits that Java must be given for `TASK_MEMORY`."""
    sizes = TASK_MEMORY
    heap = sizes["framework.heap.size"] + sizes["task.heap.size"]
    direct = sizes["framework.off-heap.size"] + sizes["task.off-heap.size"] + sizes["network.max"]
    return [
        f"-Xms{heap}m",
        f"-Xmx{heap}m",
        f"-XX:MaxDirectMemorySize={direct}m",
        f"-XX:MaxMetaspaceSize={sizes['jvm-metaspace.size']}m",
    ]


Settings = dict[str, Any]
# Flink 1.19 looks into these modules of Java 17 (its own `env.java.opts.all`).
OPENED = [
    *("java.base/java.lang", "java.base/java.net", "java.base/java.io", "java.base/java.nio"),
    *("java.base/sun.nio.ch", "java.base/java.lang.reflect", "java.base/java.text"),
    *("java.base/java.time", "java.base/java.util", "java.base/java.util.concurrent"),
    *("java.base/java.util.concurrent.atomic", "java.base/java.util.concurrent.locks"),
]
EXPORTED = ["java.base/sun.net.util", "java.rmi/sun.rmi.registry"]
JAVA_FLAGS = [
    *(f"--add-opens={package}=ALL-UNNAMED" for package in OPENED),
    *(f"--add-exports={package}=ALL-UNNAMED" for package in EXPORTED),
    "-XX:+UseSerialGC",
    "-XX:+ExitOnOutOfMemoryError",
]
LOGGING = """\
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = console
appender.console.name = console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %c{1} - %m%n
logger.zookeeper.name = org.apache.flink.shaded.zookeeper3
logger.zookeeper.level = WARN
logger.akka.name = org.apache.pekko
logger.akka.level = WARN
"""
COORDINATION = """\
dataDir={data}
clientPort={port}
clientPortAddress=127.0.0.1
admin.enableServer=false
tickTime=1000
maxClientCnxns=0
autopurge.purgeInterval=1
"""
