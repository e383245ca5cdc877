"""Checks of this machine itself: Python, packages, model, runner, disk."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from pipelines.checks.check import Check
from pipelines.runners import find_prism

FREE_BYTES = 10**9
INSTALL = "run `make setup`"


def check_python() -> Check:
    """The Python of this process, against the range that the packages are built for."""
    found = f"{platform.python_version()} at {sys.executable}"
    fits = (3, 11) <= sys.version_info[:2] < (3, 15)
    return Check("Python", fits, found, "" if fits else "install Python 3.11 to 3.14, " + INSTALL)


def check_packages(requirements: Iterable[str] | None = None) -> list[Check]:
    """One line for all packages in their ranges, one line for each that is not."""
    if requirements is None:
        try:
            requirements = metadata.requires("moodwire") or ()
        except metadata.PackageNotFoundError:
            return [Check("Packages", False, "Moodwire is not installed", INSTALL)]
    wanted = [Requirement(text) for text in requirements]
    wanted = [need for need in wanted if need.marker is None or need.marker.evaluate({"extra": ""})]
    faults = [fault for need in wanted if (fault := package_fault(need))]
    good = len(wanted) - len(faults)
    summary = [Check("Packages", True, f"{good} in their ranges")] if good else []
    return [*summary, *faults]


def package_fault(need: Requirement) -> Check | None:
    """What is wrong with an installed package, None when it is there in a version that fits."""
    name = f"Package {need.name}"
    try:
        version = metadata.version(need.name)
    except metadata.PackageNotFoundError:
        return Check(name, False, "missing", INSTALL)
    if need.specifier.contains(version, prereleases=True):
        return None
    return Check(name, False, f"{version}, wanted {need.specifier}", INSTALL)


def check_model(checkpoint: Path) -> Check:
    """Loads the checkpoint, or the one that a file names, and lets it read one sentence."""
    from models.model_pointer import named_folder
    from models.scorer import ScoreInput, Scorer

    started = time.monotonic()
    try:
        scorer = Scorer.load(named_folder(checkpoint))
        (scores,) = scorer.score([ScoreInput(text="I love it, works great!", images=())])
    except (OSError, ValueError) as error:
        found, _, remedy = str(error).partition("; ")
        return Check("Model", False, found, remedy or "correct model.checkpoint")
    mood = max(scores.sentiment, key=lambda name: scores.sentiment[name])
    seconds = time.monotonic() - started
    return Check("Model", True, f"{scores.model} loads and reads ({mood}) in {seconds:.1f} s")


def check_runner() -> list[Check]:
    """Prism or how it is had otherwise, then what builds it and what Flink needs."""
    prism, go = find_prism(), program_version("go", "version")
    without = "none: Beam downloads it where it can, else bounded runs use FnApiRunner"
    remedy = "run `make prism`" if go else "install Go and run `make prism`"
    return [
        Check("Prism", bool(prism), prism or without, "" if prism else remedy, required=False),
        Check(
            "Go",
            bool(go),
            go or "none: it only builds Prism",
            "" if go or prism else "install Go 1.26 or newer",
            required=False,
        ),
        check_java(),
    ]


def check_java() -> Check:
    """Java: a local Kafka broker and Flink run on it, Moodwire itself does not."""
    java = program_version("java", "-version")
    return Check(
        "Java",
        bool(java),
        java or "none: only a local Kafka broker and Flink need it",
        "" if java else "install Java 17 before `python -m deploy.kafka.broker start`",
        required=False,
    )


def program_version(name: str, argument: str) -> str | None:
    """First line of what a program says of its version, None when it is not there."""
    program = shutil.which(name)
    if program is None:
        return None
    told = subprocess.run([program, argument], capture_output=True, text=True, check=False)
    lines = (told.stdout + told.stderr).splitlines()
    return lines[0].strip() if lines and told.returncode == 0 else None


def check_folder(folder: Path) -> Check:
    """Whether a run can write its folder, or make it."""
    place = existing_parent(folder)
    if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
        return Check("Run folder", True, f"{folder} can be written")
    remedy = f"make {place} writable, or name another folder: sinks.folder"
    return Check("Run folder", False, f"{place} cannot be written", remedy)


def check_disk(folder: Path) -> Check:
    """Room for the records and thumbnails of a run."""
    free = shutil.disk_usage(existing_parent(folder)).free
    remedy = "" if free >= FREE_BYTES else "make room, or name another folder: sinks.folder"
    return Check("Disk", not remedy, f"{free / 1e9:.1f} GB free for {folder}", remedy)


def existing_parent(path: Path) -> Path:
    """`path` itself, or its nearest parent that exists."""
    path = path.absolute()
    return next(place for place in (path, *path.parents) if place.exists())
