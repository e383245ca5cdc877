"""The set-up on machines that lack something; nothing is installed here."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import bootstrap

ROOT = Path(__file__).resolve().parents[2]


def set_up(path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs bootstrap.sh where only the programs in `path` and the system's own exist."""
    return subprocess.run(
        ["/bin/sh", str(path.parent / "checkout/deploy/bootstrap.sh"), *arguments],
        capture_output=True,
        text=True,
        env={"PATH": str(path), "HOME": str(path), **environment},
        check=False,
        timeout=60,
    )


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder of programs beside a checkout that holds the set-up alone."""
    folder = tmp_path / "programs"
    folder.mkdir()
    shutil.copytree(ROOT / "deploy", tmp_path / "checkout/deploy")
    shutil.copy(ROOT / "pyproject.toml", tmp_path / "checkout")
    link(folder, "dirname", shutil.which("dirname") or "")
    return folder


def link(folder: Path, name: str, program: str) -> None:
    """Puts `program` into `folder` under `name`."""
    script(folder, name, f'exec "{program}" "$@"')


def script(folder: Path, name: str, text: str) -> None:
    """Puts a shell script into `folder`."""
    (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def test_no_python_is_one_line_with_the_remedy(programs: Path) -> None:
    result = set_up(programs)

    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert "no Python 3.11 to 3.14 found" in result.stderr
    assert "apt-get install" in result.stderr


def test_an_old_python_is_passed_over(programs: Path) -> None:
    script(programs, "python3", "exit 1")

    assert "no Python 3.11 to 3.14 found" in set_up(programs).stderr


def test_a_python_without_venv_names_the_package(programs: Path) -> None:
    script(programs, "python3.11", 'case "$2" in *ensurepip*) exit 1;; *) exit 0;; esac')

    assert "apt-get install python3.11-venv" in set_up(programs).stderr


def test_without_go_one_line_says_what_happens_instead(programs: Path) -> None:
    link(programs, "python3", sys.executable)

    result = set_up(programs, "--only-prism")

    assert result.returncode == 0
    assert len(result.stdout.splitlines()) == 1
    assert "Go is not here, so Beam downloads Prism itself" in result.stdout


def test_a_failing_go_does_not_stop_the_set_up(programs: Path) -> None:
    link(programs, "python3", sys.executable)
    script(programs, "go", "echo 'go: module lookup disabled' >&2; exit 1")

    result = set_up(programs, "--only-prism")

    assert result.returncode == 0
    assert "go: module lookup disabled" in result.stderr
    assert "bounded runs (--once) use FnApiRunner" in result.stdout


def test_prism_is_built_once(programs: Path) -> None:
    link(programs, "python3", sys.executable)
    script(programs, "go", 'echo built >> "$GOBIN/builds"; echo > "$GOBIN/prism"')

    set_up(programs, "--only-prism")
    second = set_up(programs, "--only-prism")

    assert second.stdout == f"[4/4] Prism {bootstrap.BEAM_VERSION}: built\n"
    assert (programs.parent / "checkout/.tools/builds").read_text() == "built\n"


def test_prism_is_the_version_of_beam_itself() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")

    assert f"apache-beam=={bootstrap.BEAM_VERSION.rpartition('.')[0]}.*" in text


def test_pip_settings_reach_the_installer(tmp_path: Path) -> None:
    listing = "\n".join(
        [
            "global.index-url='https://mirror.example/simple'",
            "global.extra-index-url='https://a.example https://b.example'",
            f":env:.find-links='{tmp_path} /not/there'",
            ":env:.default-timeout='180'",
        ]
    )

    assert bootstrap.translate_pip_settings(listing) == {
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "UV_INDEX": "https://a.example https://b.example",
        "UV_FIND_LINKS": str(tmp_path),
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


def test_a_stamp_counts_for_the_same_dependencies_and_extras_only(tmp_path: Path) -> None:
    stamp = tmp_path / "stamp"
    stamp.write_text(f"{bootstrap.fingerprint()}\ndev\n", encoding="utf-8")

    assert bootstrap.is_installed(stamp, frozenset({"dev"}))
    assert bootstrap.is_installed(stamp, frozenset())
    assert not bootstrap.is_installed(stamp, frozenset({"train"}))
    stamp.write_text("other\ndev\n", encoding="utf-8")
    assert not bootstrap.is_installed(stamp, frozenset({"dev"}))


@pytest.mark.parametrize(("interrupted", "runs"), [(False, 1), (True, 2)])
def test_an_interrupted_install_also_finishes_compiling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interrupted: bool, runs: int
) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(bootstrap, "VENV", tmp_path)
    monkeypatch.setattr(bootstrap, "installer_environment", dict)
    monkeypatch.setattr(bootstrap, "run", lambda command, *rest: commands.append(command))
    if interrupted:
        (tmp_path / "moodwire-installing").touch()

    bootstrap.install_packages(frozenset({"dev"}))

    assert len(commands) == runs
    assert bootstrap.is_installed(tmp_path / "moodwire-installed", frozenset({"dev"}))
    assert not (tmp_path / "moodwire-installing").exists()


def test_a_small_disk_is_refused_with_the_size_needed() -> None:
    with pytest.raises(bootstrap.BootstrapError, match=r"1\.0 GB are free .* need 8 GB"):
        bootstrap.refuse_small_disk(10**9)


def test_a_failed_step_shows_its_last_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "LOG", tmp_path / "log")

    with pytest.raises(bootstrap.BootstrapError, match="the packages failed"):
        bootstrap.run(["/bin/sh", "-c", "echo no route; exit 3"], "the packages")

    assert capsys.readouterr().err == "no route\n"
    assert (tmp_path / "log").read_text() == "no route\n"


def test_a_step_that_takes_long_says_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "LOG", tmp_path / "log")

    bootstrap.run(
        ["/bin/sh", "-c", "echo one; sleep 1.1"], "it", lambda lines: f"{len(lines)} done"
    )

    assert "1 s  1 done" in capsys.readouterr().out


def test_go_progress_counts_modules_and_packages() -> None:
    lines = ["go: downloading golang.org/x/sys v0.48.0\n", "runtime\n", "fmt\n"]

    assert bootstrap.package_progress(lines) == "1 modules fetched, 2 packages built"


def test_the_environment_of_the_caller_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/mine.crt")

    assert bootstrap.installer_environment()["SSL_CERT_FILE"] == "/mine.crt"
    assert bootstrap.installer_environment()["PATH"] == os.environ["PATH"]
