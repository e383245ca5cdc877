"""Serve the live page: in the foreground, or beside other work in this process."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Sequence
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


class CannotListenError(OSError):
    """The page or the metrics cannot be served where they were to be."""


def serve(
    feed: Feed,
    host: str = "127.0.0.1",
    port: int = 8642,
    *,
    has_page: bool = True,
    allowed_hosts: Sequence[str] = (),
    explain: Explain | None = None,
    actions: Actions | None = None,
    search: Search | None = None,
    cards: ReadCards = tuple,
) -> None:
    """Serve what `feed` brings until interrupted, as a page or as metrics alone.

    A page answers to `host`, this machine's own names and `allowed_hosts` alone, wherever it
    listens: a foreign site that gives its name this address (rebinding) reads nothing. Metrics
    beyond this machine answer to any name, since Prometheus calls pods by their addresses.

    `explain` says why a post was read so, `actions` does what people want done about alerts,
    `search` finds posts, `cards` reads what is told of models.

    Raises:
        CannotListenError: another program listens on `port`, or `host` is not of this machine.
    """
    listener = listen(host, port)
    with listener:
        app = build_app(
            feed,
            (*LOOPBACK, in_address(host), *allowed_hosts) if has_page else _hosts(host),
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
        CannotListenError: another program listens on `port`, or `host` is not of this machine.
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


def in_address(host: str) -> str:
    """The host as it stands in the address of a page.

    >>> in_address("127.0.0.1"), in_address("::1")
    ('127.0.0.1', '[::1]')
    """
    return f"[{host}]" if ":" in host else host


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on `host` and `port`.

    Raises:
        CannotListenError: another program does so, or this machine has no such address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        if not host:
            raise OSError("an empty host would be every interface")
        listener.bind((host, port))
        listener.listen(128)
    except (OSError, OverflowError, UnicodeError) as error:
        listener.close()
        raise CannotListenError(_why(host, port, error)) from error
    return listener


def _why(host: str, port: int, error: Exception) -> str:
    if isinstance(error, OverflowError):
        return f"port {port} is none: choose one up to 65535 with --port"
    reason = error.errno if isinstance(error, OSError) else None
    if reason == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is in use by another program: end that program, or choose "
            "another port with --port or sinks.page.port"
        )
    if reason == errno.EACCES:
        return (
            f"port {port} on {host} is not for this user: choose one above 1023 with --port or "
            "sinks.page.port"
        )
    return (
        f"host {host!r} is no address of this machine: name one that it has, or 0.0.0.0 for all, "
        "with --host or sinks.page.host"
    )


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
