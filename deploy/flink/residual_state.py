"""Keeps a job on Flink from growing with every bundle that a reader ends by itself.

Beam's portable Flink runner stores what a splittable step has left to do as a state of its own
name, `sdf_checkpoint:NUMBER:INDEX`, with another number for each bundle, and never drops one
(apache/beam issue 27648, mended upstream in pull request 39191): some kilobytes of a task manager's
heap and two hundred bytes of every checkpoint, several times a second. Here the name loses its
number, so that what is left overwrites what was left before. docs/decisions/0015 says why that is
safe.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

CLASS = (
    "org/apache/beam/runners/fnexecution/control/"
    "BundleCheckpointHandlers$StateAndTimerBundleCheckpointHandler.class"
)
# ldc "sdf_checkpoint:"; StringBuilder.append; aload_0 (the number); append; ldc ":"; append
NUMBERED = bytes.fromhex("120d b6000e 2a b6000e 120f b6000e")
ALWAYS_THE_SAME = bytes.fromhex("120d b6000e 01 b6000e 120f b6000e")  # aconst_null


def bound_residual_state(jar: Path) -> bool:
    """Mend the class in `jar`, in place; False where there is nothing to mend, or no more."""
    with zipfile.ZipFile(jar) as archive:
        code = archive.read(CLASS)
        if code.count(NUMBERED) != 1:
            return False
        entries = [(entry, archive.read(entry)) for entry in archive.infolist()]
    mended = code.replace(NUMBERED, ALWAYS_THE_SAME)
    fresh = jar.with_suffix(".fresh")
    with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, data in entries:
            archive.writestr(entry, mended if entry.filename == CLASS else data)
    os.replace(fresh, jar)  # a Java that runs goes on with the file that it has open
    return True
