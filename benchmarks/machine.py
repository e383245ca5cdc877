"""What a measurement was taken on: every result file begins with it."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from deploy.flink.jars import FLINK_VERSION
from deploy.kafka.broker import JARS

PACKAGES = ("apache-beam", "kafka-python", "confluent-kafka", "crc32c", "msgspec", "onnxruntime")


def describe_machine() -> dict[str, Any]:
    """Hardware, versions, date and how busy the machine was before the measurement."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _line_of("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "java": _java(),
        "kafka": _kafka(),
        "flink": FLINK_VERSION,
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
        "load_before": load(),
    }


def load() -> float:
    """How many processes wanted a core, averaged over the last minute."""
    return round(os.getloadavg()[0], 2)


def describe_in_words(machine: dict[str, Any]) -> str:
    """One paragraph for people."""
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    return (
        f"{machine['date']} · {machine['cores']} × {machine['processor']}, "
        f"{machine['memory_gib']} GiB · {machine['system']} · Python {machine['python']}, "
        f"Java {machine['java']}, Kafka {machine['kafka']}, Flink {machine['flink']} · "
        f"{packages} · load before the run {machine['load_before']}"
    )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _line_of(path: str, field: str) -> str | None:
    lines = Path(path).read_text().splitlines() if Path(path).exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(field)), None)


def _java() -> str:
    shown = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False)
    words = (shown.stderr or shown.stdout).split('"')
    return words[1] if len(words) > 1 else "unknown"


def _kafka() -> str:
    found = sorted(path.stem.rpartition("-")[2] for path in JARS.glob("kafka-clients-*.jar"))
    return found[-1] if found else "unknown"
