"""Jars from a registry for the parts of the stack that run on Java."""

from __future__ import annotations

import shutil
from pathlib import Path

from deploy.processes import find_program, run


def fetch_jars(pom: Path, jars: Path, user: str) -> Path:
    """The folder `jars` with all that `pom` names, fetched when absent or made for another pom."""
    stamp = jars.parent / "pom.xml"
    if not stamp.exists() or stamp.read_bytes() != pom.read_bytes():
        shutil.rmtree(jars, ignore_errors=True)
        maven = find_program("mvn", "apt-get install maven", user)
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={jars}"]
        run([maven, "-q", "-B", "-f", str(pom), *goal, "-DincludeScope=runtime"])
        stamp.write_bytes(pom.read_bytes())
    return jars


def find_java(user: str) -> str:
    """The path of Java; ProcessError says what `user` needs and how to get it."""
    return find_program("java", "apt-get install openjdk-17-jre-headless", user)
