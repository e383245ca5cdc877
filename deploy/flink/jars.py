"""Jars for Flink: the cluster's own, and Beam's job server for it."""

from __future__ import annotations

import shutil
import sys
import zipfile
from pathlib import Path

from deploy.flink.residual_state import bound_residual_state
from deploy.jars import fetch_jars
from deploy.processes import REPOSITORY, run

FLINK_VERSION = "1.19.3"
TOOLS = REPOSITORY / ".tools"
POM = Path(__file__).with_name("pom.xml")
LINE = 70  # bytes; a manifest's lines hold no more than 72, a continuation starts with a space


def resolve_cluster(home: Path = TOOLS / "flink-cluster") -> Path:
    """Flink's distribution (its jars as a Python package brings them), fetched when absent."""
    stamp = home / "version"
    if not stamp.exists() or stamp.read_text() != FLINK_VERSION:
        shutil.rmtree(home, ignore_errors=True)
        package = f"apache-flink-libraries=={FLINK_VERSION}"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        # No wheel is published: pip packs one. --no-compile: nothing in it is ours to run.
        run([*pip, "--no-deps", "--no-compile", "--target", str(home), package])
        stamp.write_text(FLINK_VERSION)
    return home / "pyflink"


def resolve_job_server(home: Path = TOOLS / "flink") -> Path:
    """Beam's Flink job server as one jar that names the others, for `--flink_job_server_jar`."""
    jars = fetch_jars(POM, home / "lib", "Flink's job server")
    for execution in jars.glob("beam-runners-java-fn-execution-*.jar"):
        bound_residual_state(execution)
    jar = home / "job-server.jar"
    named = sorted(f"lib/{path.name}" for path in jars.glob("*.jar"))
    text = manifest("org.apache.beam.runners.flink.FlinkJobServerDriver", named)
    if not jar.exists() or _manifest_of(jar) != text:
        with zipfile.ZipFile(jar, "w") as archive:
            archive.writestr("META-INF/MANIFEST.MF", text)
    return jar


def manifest(main_class: str, class_path: list[str]) -> str:
    """What a jar without classes says: where to start, and the jars beside it.

    >>> print(manifest("a.Main", ["lib/a.jar", "lib/b.jar"]))
    Manifest-Version: 1.0
    Main-Class: a.Main
    Class-Path: lib/a.jar lib/b.jar
    <BLANKLINE>
    """
    line = "Class-Path: " + " ".join(class_path)
    pieces = [line[start : start + LINE] for start in range(0, len(line), LINE)]
    folded = "\n ".join(pieces)
    return f"Manifest-Version: 1.0\nMain-Class: {main_class}\n{folded}\n"


def _manifest_of(jar: Path) -> str:
    with zipfile.ZipFile(jar) as archive:
        return archive.read("META-INF/MANIFEST.MF").decode()
