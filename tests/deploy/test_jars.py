"""Facts about fetching jars."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deploy.jars import fetch_jars, read_lock
from deploy.processes import REPOSITORY, ProcessError

SMALL = "org.slf4j:slf4j-api:2.0.17 "
DIGEST = "7b751d952061954d5abfed7181c1f645d336091b679891591d63329c622eb832"


def a_lock(folder: Path, digest: str) -> Path:
    """A pom of which the lock alone is read, with one small jar."""
    folder.mkdir()
    (folder / "jars.lock").write_text(SMALL + digest + "\n")
    return folder / "pom.xml"


@pytest.fixture
def _without_maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("M2_REPO", str(tmp_path / "cache"))


@pytest.mark.usefixtures("_without_maven")
def test_jars_come_without_maven_and_once(tmp_path: Path) -> None:
    pom = a_lock(tmp_path / "part", DIGEST)

    jars = fetch_jars(pom, tmp_path / "tools" / "lib", "a test")
    made = jars.stat().st_mtime_ns

    assert os.listdir(jars) == ["slf4j-api-2.0.17.jar"]
    assert fetch_jars(pom, jars, "a test").stat().st_mtime_ns == made


@pytest.mark.usefixtures("_without_maven")
def test_a_jar_that_is_not_the_locked_one_is_refused(tmp_path: Path) -> None:
    pom = a_lock(tmp_path / "part", "0" * 64)

    with pytest.raises(ProcessError, match=r"^slf4j-api-2.0.17.jar: not what .*jars.lock says"):
        fetch_jars(pom, tmp_path / "tools" / "lib", "a test")
    assert os.listdir(tmp_path / "tools") == []


@pytest.mark.parametrize("part", ["kafka", "flink"])
def test_locks_name_what_their_poms_ask_for(part: str) -> None:
    folder = REPOSITORY / "deploy" / part
    pom = (folder / "pom.xml").read_text(encoding="utf-8")
    jars = read_lock(folder / "jars.lock")

    asked = {jar.artifact for jar in jars if f"<artifactId>{jar.artifact}</artifactId>" in pom}
    assert len(asked) == pom.count("<dependency>")
    assert all(f"<version>{j.version}</version>" in pom for j in jars if j.artifact in asked)
