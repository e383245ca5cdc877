"""Jars for the parts of the stack that run on Java: `python -m deploy.jars lock POM`.

What a `pom.xml` needs is worked out once, with Maven, and written beside it as `jars.lock`: every
jar with its version and SHA-256. Fetching then needs no Maven and brings the same on every machine.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from deploy.processes import ProcessError, find_program, run

LOCK = "jars.lock"
DOWNLOADS = 8  # at a time
SECONDS = 60


class Jar(NamedTuple):
    """One jar: who publishes it, its name, its version and what it must hold."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """Its name in a folder of jars."""
        return f"{self.artifact}-{self.version}.jar"


def fetch_jars(pom: Path, folder: Path, user: str) -> Path:
    """The jars of `pom` in `folder`, fetched when absent or when its lock has changed.

    Maven does it where it is on the PATH, since it knows this machine's mirrors.

    Raises:
        ProcessError: a jar cannot be had, or is not the one that the lock names.
    """
    lock, stamp = pom.with_name(LOCK), folder.parent / LOCK
    if stamp.exists() and stamp.read_bytes() == lock.read_bytes():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        fresh, wanted = Path(made) / folder.name, read_lock(lock)
        fresh.mkdir()
        if shutil.which("mvn"):
            _copy_by_maven(pom, fresh)
        else:
            _download(wanted, fresh, user)
        _check(wanted, fresh, lock)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    stamp.write_bytes(lock.read_bytes())
    return folder


def read_lock(lock: Path) -> list[Jar]:
    """The jars that `lock` names."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    return [Jar(*line.replace(" ", ":").split(":")) for line in lines if line]


def write_lock(pom: Path) -> list[Jar]:
    """Let Maven work out what `pom` needs and write it down beside it."""
    with tempfile.TemporaryDirectory() as made:
        folder, listing = Path(made) / "lib", Path(made) / "list"
        _copy_by_maven(pom, folder)
        _maven(pom, "dependency:list", f"-DoutputFile={listing}")
        found = [line.split(":") for line in listing.read_text().split() if line.count(":") == 4]
        jars = sorted(Jar(row[0], row[1], row[3], "") for row in found)
        jars = [jar._replace(sha256=_digest(folder / jar.file_name)) for jar in jars]
    text = "".join(f"{jar.group}:{jar.artifact}:{jar.version} {jar.sha256}\n" for jar in jars)
    pom.with_name(LOCK).write_text(text, encoding="utf-8")
    return jars


def find_java(user: str) -> str:
    """The path of Java; ProcessError says what `user` needs and how to get it."""
    return find_program("java", "apt-get install openjdk-17-jre-headless", user)


def _copy_by_maven(pom: Path, folder: Path) -> None:
    _maven(pom, "dependency:copy-dependencies", f"-DoutputDirectory={folder}")


def _maven(pom: Path, *goal: str) -> None:
    maven = find_program("mvn", "apt-get install maven", "the lock")
    run([maven, "-q", "-B", "-f", str(pom), *goal, "-DincludeScope=runtime"])


def _download(jars: Iterable[Jar], folder: Path, user: str) -> None:
    from jgo.maven import MavenContext

    place = MavenContext(timeout=SECONDS)

    def fetch(jar: Jar) -> None:
        found = place.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
        shutil.copy(found, folder / jar.file_name)

    try:
        with ThreadPoolExecutor(DOWNLOADS) as threads:
            list(threads.map(fetch, jars))
    except (OSError, RuntimeError) as error:
        remedy = "check the network, or install Maven and set up its mirror"
        raise ProcessError(f"the jars of {user} cannot be fetched: {error}; {remedy}") from error


def _check(wanted: list[Jar], folder: Path, lock: Path) -> None:
    names = {path.name for path in folder.glob("*.jar")}
    wrong = names ^ {jar.file_name for jar in wanted}
    wrong |= {
        jar.file_name
        for jar in wanted
        if jar.file_name in names and _digest(folder / jar.file_name) != jar.sha256
    }
    if wrong:
        raise ProcessError(
            f"{', '.join(sorted(wrong)[:3])}: not what {lock} says; after a change of the pom run "
            f"`python -m deploy.jars lock {lock.with_name('pom.xml')}`"
        )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """Write the lock of a pom again."""
    parser = argparse.ArgumentParser(prog="python -m deploy.jars", description=__doc__)
    parser.add_argument("action", choices=("lock",))
    parser.add_argument("pom", type=Path, nargs="+")
    for pom in parser.parse_args(arguments).pom:
        try:
            print(f"{pom.with_name(LOCK)}: {len(write_lock(pom))} jars")
        except ProcessError as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
