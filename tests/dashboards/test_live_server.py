from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from dashboards.live.follower import Follower
from dashboards.live.headers import HEADERS
from dashboards.live.server import BackgroundServer, CannotListenError, listen, serve
from tests.dashboards.incidents import an_alert
from tests.dashboards.run_folder import append, build_run_folder
from tests.servers import free_port, until


def test_the_page_is_served_from_the_background_and_stops(tmp_path: Path) -> None:
    with BackgroundServer(Follower(tmp_path), port=0) as server:
        assert httpx.get(f"{server.url}healthz").text == "ok\n"

    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}healthz")
    assert not [thread for thread in threading.enumerate() if thread.name == "http-server"]


def test_stopping_ends_open_streams_at_once(tmp_path: Path) -> None:
    began = 0.0
    with (
        httpx.Client(timeout=10) as client,
        BackgroundServer(Follower(tmp_path), port=0) as server,
        client.stream("GET", f"{server.url}events") as answer,
    ):
        lines = answer.iter_lines()
        assert next(lines).startswith("id: ")
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        began = time.monotonic()
        server.stop()

    assert time.monotonic() - began < 3


def test_a_change_in_the_folder_reaches_an_open_stream(tmp_path: Path) -> None:
    with (
        BackgroundServer(Follower(tmp_path), port=0) as server,
        httpx.Client(timeout=10) as client,
        client.stream("GET", f"{server.url}events") as answer,
    ):
        lines = answer.iter_lines()
        next(line for line in lines if line.startswith("data: "))
        append(tmp_path / "alerts.jsonl", an_alert("fresh", "Aerolume"))
        line = next(line for line in lines if '"fresh"' in line)

    assert line.startswith("data: ")


@pytest.mark.parametrize("start", [serve, BackgroundServer])
def test_a_port_in_use_is_named_with_its_remedy(tmp_path: Path, start: object) -> None:
    with listen("127.0.0.1", 0) as other:
        port = other.getsockname()[1]

        with pytest.raises(CannotListenError, match=rf"port {port} .* choose another port"):
            start(Follower(tmp_path), port=port)  # type: ignore[operator]


@pytest.mark.parametrize("host", ["nosuch.invalid", "203.0.113.9", "a..b", ""])
def test_a_host_that_is_not_of_this_machine_is_named_with_its_remedy(host: str) -> None:
    with pytest.raises(CannotListenError, match=rf"host '{host}' is no address .* --host"):
        listen(host, 0)


def test_a_port_that_is_none_is_named_with_its_remedy() -> None:
    with pytest.raises(CannotListenError, match=r"port 70000 is none: .* --port"):
        listen("127.0.0.1", 70_000)


@contextmanager
def in_a_process(folder: Path, *arguments: str) -> Iterator[int]:
    """`moodwire serve` in a process of its own; yields its port."""
    port = free_port()
    command = [sys.executable, "-m", "pipelines.command_line", "serve", str(folder)]
    process = subprocess.Popen([*command, f"--port={port}", *arguments], stdout=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(20)


def test_a_page_that_others_reach_answers_to_the_names_it_was_given(tmp_path: Path) -> None:
    def status(port: int, name: str) -> int:
        url = f"http://127.0.0.2:{port}/healthz"
        try:
            return httpx.get(url, headers={"Host": name}).status_code
        except httpx.ConnectError:
            return 0

    # 127.0.0.2 stands for an address that other machines know; no other server listens there.
    with in_a_process(tmp_path, "--host=127.0.0.2", "--allow-host=Mood.example") as port:
        until(lambda: status(port, "localhost") == 200)

        assert status(port, "mood.example") == status(port, f"127.0.0.2:{port}") == 200
        assert status(port, "evil.example") == status(port, "192.0.2.7") == 400


def test_files_that_cannot_be_read_for_a_while_are_said_and_followed_again(tmp_path: Path) -> None:
    build_run_folder(tmp_path)
    with BackgroundServer(Follower(tmp_path), port=0) as server:
        (tmp_path / "topics.jsonl").rename(tmp_path / "kept")
        (tmp_path / "topics.jsonl").mkdir()
        for path in ("healthz", "metrics", "events"):
            until(lambda path=path: httpx.get(f"{server.url}{path}").status_code == 503)  # type: ignore[misc]
        (tmp_path / "topics.jsonl").rmdir()
        (tmp_path / "kept").rename(tmp_path / "topics.jsonl")
        until(lambda: httpx.get(f"{server.url}healthz").text == "ok\n")
        append(tmp_path / "alerts.jsonl", an_alert("later", "Nordbrew"))
        until(lambda: '"later"' in httpx.get(f"{server.url}api/state").text)


def test_a_page_that_no_longer_follows_is_not_healthy(tmp_path: Path) -> None:
    class Broken(Follower):
        def poll(self, now: float | None = None) -> bool:
            raise RuntimeError("a mistake of ours")

    with BackgroundServer(Broken(tmp_path), port=0) as server:
        until(lambda: httpx.get(f"{server.url}healthz").status_code == 503)
