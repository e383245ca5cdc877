"""Serve the live page: in the foreground, or beside other work in this process."""

from __future__ import annotations

import errno
import socket
import threading
from types import TracebackType

import uvicorn
from starlette.applications import Starlette

from dashboards.live.actions import Actions
from dashboards.live.app import build_app
from dashboards.live.cards import ReadCards
from dashboards.live.explanations import Explain
from dashboards.live.searches import Search
from dashboards.live.stream import Broadcast, Feed

LOOPBACK = ("127.0.0.1", "localhost")
START_SECONDS = 10.0
STOP_SECONDS = 5


class PortInUseError(OSError):
    """Another program listens where the page was to be served."""


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


class BackgroundServer:
    """Serves what `feed` brings from a thread of this process while the context is open.

    Port 0 takes a free one; `url` says where the page is.

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
        self._listener = listen(host, port)
        app = build_app(
            feed, _hosts(host), explain=explain, actions=actions, search=search, cards=cards
        )
        self._server = _build_server(app)
        self._thread = threading.Thread(target=self._run, name="live-page", daemon=True)
        self.url = f"http://{host}:{self._listener.getsockname()[1]}/"

    def start(self) -> None:
        """Begin to serve; returns once the page answers.

        Raises:
            RuntimeError: the server did not come up.
        """
        self._thread.start()
        if not self._server.ready.wait(START_SECONDS):
            raise RuntimeError(f"the live page did not start within {START_SECONDS:.0f} s")

    def stop(self) -> None:
        """End every open stream, then the server and its thread."""
        self._server.should_exit = True
        self._thread.join(STOP_SECONDS + START_SECONDS)
        self._listener.close()

    def __enter__(self) -> BackgroundServer:
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


def listen(host: str, port: int) -> socket.socket:
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
            "another port with --port or sinks.page.port",
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
    return _Server(config, app.state.broadcast)


class _Server(uvicorn.Server):
    """uvicorn that says when it serves, and ends its streams before it waits for them."""

    def __init__(self, config: uvicorn.Config, broadcast: Broadcast) -> None:
        super().__init__(config)
        self.broadcast = broadcast
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.broadcast.close()
        await super().shutdown(sockets)
