"""Servers that outlive the program which starts them, known by their pid files."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
START_SECONDS = 120.0  # a busy machine takes half a minute
STOP_SECONDS = 30.0


class ProcessError(RuntimeError):
    """A server cannot do what was asked; the message names the remedy."""


@dataclass(frozen=True)
class Process:
    """One server with its files in `home`; it is ready once it listens on 127.0.0.1:`port`.

    Its command line must hold `mark`: a pid that the system gave to another program since is
    then never taken for the server. What it starts itself stays in its process group and ends
    with it.
    """

    name: str
    home: Path
    port: int

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What it says."""
        return self.home / f"{self.name}.log"

    @property
    def pid_file(self) -> Path:
        """Its process id, kept from its start to its orderly stop."""
        return self.home / f"{self.name}.pid"

    @property
    def mark(self) -> str:
        """What tells its command line from every other."""
        return str(self.pid_file)

    def pid(self) -> int | None:
        """The process id while it runs, None otherwise."""
        pid = self.recorded()
        return pid if pid is not None and self.mark in command_of(pid) else None

    def is_ready(self) -> bool:
        """Whether it runs and takes connections."""
        return self.pid() is not None and is_listening(self.port)

    def spawn(self, command: list[str], environment: Mapping[str, str] = os.environ) -> int:
        """Start it and return its process id at once; `await_ready` says when it can be used."""
        self.home.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        outlets: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(self.log), flags, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        pid = os.posix_spawn(command[0], command, environment, file_actions=outlets, setsid=True)
        self.pid_file.write_text(str(pid))
        return pid

    def row(self) -> str:
        """One line for people: name, state, address, process id, log."""
        pid = self.pid()
        state = "stopped" if pid is None else "running" if self.is_ready() else "starting"
        return f"{self.name:<15} {state:<9} {self.address:<16} {pid or '-':<8} {self.log}"

    def refuse_taken_port(self, port: int | None = None) -> None:
        """Raise ProcessError where another program listens on `port` (its own by default)."""
        port = self.port if port is None else port
        if is_listening(port):
            raise ProcessError(
                f"127.0.0.1:{port} is taken by another program: end it, "
                "or choose another port in deploy/ports.yaml"
            )

    def await_ready(self) -> int:
        """Wait until it takes connections and return its process id."""
        wait(lambda: is_listening(self.port), START_SECONDS, self.explain_end)
        pid = self.pid()
        if pid is None:
            raise ProcessError(self.explain_end() or f"{self.name} ended")
        return pid

    def explain_end(self) -> str | None:
        """What to read where it runs no more, None while it runs."""
        if self.pid() is not None:
            return None
        return f"{self.name} ended while it started; {self.log} says why"

    def stop(self) -> None:
        """Stop it and what it started in order, by force after half a minute."""
        group = self.recorded()
        if group is not None and (self.pid() or not command_of(group)):
            _end_group(group)
        self.pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """End it as a power cut would; what it started itself is left to notice."""
        pid = self.pid()
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            wait(lambda: not command_of(pid), STOP_SECONDS)
            _reap(pid)

    def recorded(self) -> int | None:
        """The process id of its last start, also where it was killed since."""
        try:
            return int(self.pid_file.read_text())
        except (OSError, ValueError):
            return None


def is_listening(port: int) -> bool:
    """Whether something takes connections on 127.0.0.1:`port`."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait(
    ready: Callable[[], bool],
    seconds: float,
    explain: Callable[[], str | None] = lambda: None,
) -> None:
    """Wait until `ready`, ask `explain` why it never will be, and raise ProcessError if so."""
    deadline = time.monotonic() + seconds
    while not ready():
        reason = explain()
        if reason is None and time.monotonic() > deadline:
            reason = f"not ready within {seconds:.0f} s"
        if reason is not None:
            raise ProcessError(reason)
        time.sleep(0.1)


def find_program(name: str, remedy: str, user: str) -> str:
    """The path of the program `name`; ProcessError says what `user` needs and how to get it."""
    path = shutil.which(name)
    if path is None:
        raise ProcessError(f"{user} needs `{name}`, which is not on PATH: {remedy}")
    return path


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """What `command` prints; ProcessError with its last words where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        tail = (done.stdout + done.stderr).strip()[-800:]
        raise ProcessError(f"{Path(command[0]).name} failed ({done.returncode}): {tail}")
    return done.stdout


def command_of(pid: int) -> str:
    """The command line of a live process, empty where it ended."""
    shown = _ps("-ww", "-o", "stat=,args=", "-p", str(pid)).strip()
    return "" if shown.startswith("Z") else shown


def members_of(group: int) -> list[int]:
    """The live processes of a process group."""
    rows = [row.split() for row in _ps("-A", "-o", "pid=,pgid=,stat=").splitlines()]
    return [int(pid) for pid, of, state in rows if int(of) == group and state[0] != "Z"]


def _ps(*arguments: str) -> str:
    return subprocess.run(["ps", *arguments], capture_output=True, text=True, check=False).stdout


def _end_group(group: int) -> None:
    for number in (signal.SIGTERM, signal.SIGCONT):  # a paused process hears nothing else
        _signal_group(group, number)
    try:
        wait(lambda: not members_of(group), STOP_SECONDS)
    except ProcessError:
        _signal_group(group, signal.SIGKILL)
    _reap(group)


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return  # it ended meanwhile


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        return  # started by another process, which reaps it
