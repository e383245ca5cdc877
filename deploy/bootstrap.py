"""Sets a checkout up with the standard library alone: environment, packages, Prism.

Run by `deploy/bootstrap.sh`, which finds the Python. Every step is left out when it is done
already, so an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
TOOLS = ROOT / ".tools"
LOG = TOOLS / "bootstrap.log"
BEAM_VERSION = "2.77.0"
PRISM_MODULE = f"github.com/apache/beam/sdks/v2/go/cmd/prism@v{BEAM_VERSION}"
# Measured: 6.7 GB in the environment, the rest for archives being unpacked.
NEEDED_BYTES = 8 * 10**9
STEPS = 4
# uv compiles only what it has just installed: this does what an interrupted run left.
FINISH_COMPILING = (
    "import compileall, sysconfig;"
    "compileall.compile_dir(sysconfig.get_path('purelib'), quiet=2, workers=0)"
)
Environment = dict[str, str]


class BootstrapError(Exception):
    """A step failed; the message says what and what to do."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the steps; the exit code is 0 when the checkout is ready."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--extra", action="append", default=[], help="dev, train: extras to install"
    )
    parser.add_argument("--only-prism", action="store_true", help="build the Prism runner only")
    options = parser.parse_args(arguments)
    TOOLS.mkdir(exist_ok=True)
    LOG.write_text("", encoding="utf-8")
    try:
        if not options.only_prism:
            make_environment()
            install_packages(frozenset(options.extra))
        build_prism()
    except BootstrapError as error:
        print(f"moodwire: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nmoodwire: stopped; run it again and it goes on from here.", file=sys.stderr)
        return 130
    return 0


def make_environment() -> None:
    """Steps 1 and 2: the virtual environment, and in it the installer that does the rest."""
    say(1, f"Python {sys.version.split()[0]}, environment .venv")
    if not python_works():
        refuse_small_disk(shutil.disk_usage(ROOT).free)
        run([sys.executable, "-m", "venv", "--clear", str(VENV)], "the environment")
    say(2, "Installer (uv)")
    if not (VENV / "bin" / "uv").exists():
        pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "uv>=0.9"]
        run([*pip, "--disable-pip-version-check"], "uv")


def python_works() -> bool:
    """Whether .venv holds a Python that starts and has pip: an interrupted one may not."""
    python = VENV / "bin" / "python"
    return python.exists() and not subprocess.call(
        [python, "-c", "import pip"], stderr=subprocess.DEVNULL
    )


def refuse_small_disk(free: int) -> None:
    """Raises BootstrapError where the packages would not fit."""
    if free < NEEDED_BYTES:
        raise BootstrapError(
            f"{free / 1e9:.1f} GB are free under {ROOT}, the packages need "
            f"{NEEDED_BYTES / 1e9:.0f} GB; make room and run it again"
        )


def install_packages(extras: frozenset[str]) -> None:
    """Step 3: this project and what it needs, compiled at once so that later starts are quick."""
    stamp = VENV / "moodwire-installed"
    wanted = extras | installed_extras(stamp)
    if is_installed(stamp, extras):
        say(3, "Packages: installed")
        return
    say(3, "Packages: about 3.4 GB to download the first time, torch is most of it")
    target = f"{ROOT}[{','.join(sorted(wanted))}]" if wanted else str(ROOT)
    command = [str(VENV / "bin" / "uv"), "pip", "install", "--compile-bytecode"]
    command += ["--python", str(VENV / "bin" / "python"), "--editable", target]
    underway = VENV / "moodwire-installing"
    interrupted = underway.exists()
    underway.touch()
    run(command, "the packages", disk_progress(), installer_environment())
    if interrupted:
        run([str(VENV / "bin" / "python"), "-c", FINISH_COMPILING], "compiling the packages")
    underway.unlink()
    stamp.write_text("\n".join([fingerprint(), *sorted(wanted)]), encoding="utf-8")


def fingerprint() -> str:
    """Changes when the dependencies may have changed."""
    return hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()


def installed_extras(stamp: Path) -> frozenset[str]:
    """The extras that an earlier run installed: kept, whatever this run asks for."""
    return (
        frozenset(stamp.read_text(encoding="utf-8").split()[1:]) if stamp.exists() else frozenset()
    )


def is_installed(stamp: Path, extras: frozenset[str]) -> bool:
    """Whether the packages that pyproject.toml now names are there with these extras."""
    if not stamp.exists() or not extras <= installed_extras(stamp):
        return False
    return stamp.read_text(encoding="utf-8").split()[0] == fingerprint()


def installer_environment() -> Environment:
    """The environment with what this machine has set up for pip, which uv does not read."""
    listed = subprocess.run(
        [VENV / "bin" / "python", "-m", "pip", "config", "list"],
        capture_output=True,
        text=True,
        check=False,
    )
    return translate_pip_settings(listed.stdout) | dict(os.environ)


def translate_pip_settings(listing: str) -> Environment:
    """The lines of `pip config list` as uv's variables, with pip's way of choosing a version.

    >>> translate_pip_settings("global.cert='/etc/ca.crt'")
    {'SSL_CERT_FILE': '/etc/ca.crt'}
    """
    names = {
        "index-url": ("UV_DEFAULT_INDEX", " "),
        "extra-index-url": ("UV_INDEX", " "),
        "find-links": ("UV_FIND_LINKS", ","),
        "cert": ("SSL_CERT_FILE", ""),
    }
    found: Environment = {}
    for line in listing.splitlines():
        key, _, value = line.partition("=")
        name, separator = names.get(key.rpartition(".")[2], ("", ""))
        values = value.strip("'\"").replace("\\n", " ").split()
        if name == "UV_FIND_LINKS":  # pip passes over a folder that is not there, uv stops at it
            values = [place for place in values if "://" in place or Path(place).is_dir()]
        if name and values:
            found[name] = separator.join(values)
    if "UV_INDEX" in found:
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return found


def build_prism() -> None:
    """Step 4: Beam's small runner, built once; without Go, what happens instead in one line."""
    prism, stamp = TOOLS / "prism", TOOLS / "prism.version"
    if prism.exists() and stamp.exists() and stamp.read_text() == BEAM_VERSION:
        say(4, f"Prism {BEAM_VERSION}: built")
        return
    go = shutil.which("go")
    if go is None:
        say(4, f"Prism: Go is not here, so {INSTEAD}")
        return
    say(4, f"Prism {BEAM_VERSION}, Beam's runner for one machine: about a minute and a half once")
    try:
        environment = dict(os.environ) | {"GOBIN": str(TOOLS)}
        run([go, "install", "-v", PRISM_MODULE], "Prism", package_progress, environment)
        stamp.write_text(BEAM_VERSION)
    except BootstrapError as error:
        say(4, f"Prism: {error}; {INSTEAD}")


INSTEAD = (
    "Beam downloads Prism itself where it reaches its releases, "
    "and bounded runs (--once) use FnApiRunner"
)
Progress = Callable[[list[str]], str]


def disk_progress() -> Progress:
    """Says how much was written since now."""
    before = shutil.disk_usage(ROOT).free
    return lambda lines: f"{max(0, before - shutil.disk_usage(ROOT).free) / 1e9:.1f} GB written"


def package_progress(lines: list[str]) -> str:
    """Says how many modules Go fetched and packages it built (722 when it starts from nothing)."""
    fetched = sum(line.startswith("go: downloading") for line in lines)
    return f"{fetched} modules fetched, {len(lines) - fetched} packages built"


def run(
    command: list[str],
    what: str,
    progress: Progress = lambda lines: "",
    environment: Environment | None = None,
) -> None:
    """Runs `command`, keeps what it says in the log and shows how far it is.

    Raises:
        BootstrapError: it failed; the last lines of the log say why.
    """
    lines: list[str] = []
    with (
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process,
        shown(lambda: progress(lines)),
        LOG.open("a", encoding="utf-8") as log,
    ):
        for line in process.stdout or ():
            lines.append(line)
            log.write(line)
        code = process.wait()
    if code:
        print("".join(lines[-15:]), file=sys.stderr, end="")
        raise BootstrapError(f"{what} failed (all of it in {LOG}); run it again to go on")


@contextmanager
def shown(describe: Callable[[], str]) -> Iterator[None]:
    """Shows seconds and `describe()`: on a terminal in one line, elsewhere every ten seconds."""
    terminal = sys.stdout.isatty()
    started, done = time.monotonic(), threading.Event()

    def tick() -> None:
        while not done.wait(1 if terminal else 10):
            status = f"      {time.monotonic() - started:4.0f} s  {describe()}"
            print(
                f"\r{status:<78}" if terminal else status, end="" if terminal else "\n", flush=True
            )

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        seconds = time.monotonic() - started
        if seconds >= 1:
            status = f"      {seconds:4.0f} s  {describe()}"
            print(f"\r{status:<78}" if terminal else status, flush=True)


def say(step: int, words: str) -> None:
    """One line that names the step."""
    print(f"[{step}/{STEPS}] {words}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
