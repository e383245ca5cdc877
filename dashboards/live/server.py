"""Serve the live page, or metrics: in the foreground, or beside other work in this process."""

from __future__ import annotations

import errno
import socket
import threading
from types import TracebackType
from typing import Self

import uvicorn
from prometheus_client.registry import Collector
from starlette.applications import Starlette

from dashboards.live.actions import Actions
from dashboards.live.app import build_app
from dashboards.live.cards import ReadCards
from dashboards.live.explanations import Explain
from dashboards.live.scraped import build_scraped
from dashboards.live.searches import Search
from dashboards.live.stream import Broadcast, Feed

LOOPBACK = ("127.0.0.1", "localhost")
PORT_KEY = "--port or sinks.page.port"
START_SECONDS = 10.0
STOP_SECONDS = 5


class PortInUseError(OSError):
    """Another program listens on the port."""


def serve(
    feed: Feed,
    host: str = "127.0.0.1",
    port: int = 8642,
    *,
    has_page: bool = True,
    explain: Explain | None = None,
    actions: Actions | None = None,
    search: Search | None = None,
    cards: ReadCards = tuple,
) -> None:
    """Serve what `feed` brings until interrupted, as a page or as metrics alone.

    `explain` says why a post was read so, `actions` does what people want done about alerts,
    `search` finds posts, `cards` reads what is told of models.

    Raises:
        PortInUseError: another program listens on `port`.
    """
    listener = listen(host, port)
    with listener:
        app = build_app(
            feed,
            _hosts(host),
            has_page=has_page,
            explain=explain,
            actions=actions,
            search=search,
            cards=cards,
        )
        _build_server(app).run(sockets=[listener])


class _InBackground:
    """Serves from a thread of this process while the context is open; `url` says where."""

    def __init__(self, server: _Server, listener: socket.socket, host: str) -> None:
        self._server, self._listener = server, listener
        self._thread = threading.Thread(target=self._run, name="http-server", daemon=True)
        self.url = f"http://{host}:{listener.getsockname()[1]}/"

    def start(self) -> None:
        """Begin to serve; returns once it answers.

        Raises:
            RuntimeError: the server did not come up.
        """
        self._thread.start()
        if not self._server.ready.wait(START_SECONDS):
            raise RuntimeError(f"the server did not start within {START_SECONDS:.0f} s")

    def stop(self) -> None:
        """End every open stream, then the server and its thread."""
        self._server.should_exit = True
        self._thread.join(STOP_SECONDS + START_SECONDS)
        self._listener.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self) -> None:
        self._server.run(sockets=[self._listener])


class BackgroundServer(_InBackground):
    """Serves what `feed` brings, as a page.

    Port 0 takes a free one.

    Raises:
        PortInUseError: another program listens on `port`.
    """

    def __init__(
        self,
        feed: Feed,
        host: str = "127.0.0.1",
        port: int = 8642,
        *,
        explain: Explain | None = None,
        actions: Actions | None = None,
        search: Search | None = None,
        cards: ReadCards = tuple,
    ) -> None:
        listener = listen(host, port)
        app = build_app(
            feed, _hosts(host), explain=explain, actions=actions, search=search, cards=cards
        )
        super().__init__(_build_server(app), listener, host)


class BackgroundMetrics(_InBackground):
    """Serves what `collector` finds, as metrics; `port_key` names what chooses the port.

    Raises:
        PortInUseError: another program listens on `port`.
    """

    def __init__(self, collector: Collector, host: str, port: int, port_key: str) -> None:
        listener = listen(host, port, port_key)
        super().__init__(_build_server(build_scraped(collector, _hosts(host))), listener, host)


def listen(host: str, port: int, port_key: str = PORT_KEY) -> socket.socket:
    """A socket that listens on `host` and `port`.

    Raises:
        PortInUseError: another program does so already.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno != errno.EADDRINUSE:
            raise
        raise PortInUseError(
            errno.EADDRINUSE,
            f"port {port} on {host} is in use by another program: end that program, or choose "
            f"another port with {port_key}",
        ) from error
    return listener


def _hosts(host: str) -> tuple[str, ...]:
    return LOOPBACK if host in LOOPBACK else ("*",)


def _build_server(app: Starlette) -> _Server:
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    return _Server(config, getattr(app.state, "broadcast", None))


class _Server(uvicorn.Server):
    """uvicorn that says when it serves, and ends a page's streams before it waits for them."""

    def __init__(self, config: uvicorn.Config, broadcast: Broadcast | None) -> None:
        super().__init__(config)
        self.broadcast = broadcast
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self.broadcast is not None:
            self.broadcast.close()
        await super().shutdown(sockets)
