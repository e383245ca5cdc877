"""Serve the live page, or metrics: in the foreground, or beside other work in this process."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import NamedTuple, Self

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
START_SECONDS = 10.0
STOP_SECONDS = 5


class Keys(NamedTuple):
    """What chooses where a server listens, as people write it."""

    host: str
    port: str


PAGE_KEYS = Keys("--host or sinks.page.host", "--port or sinks.page.port")


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


class _InBackground:
    """Serves from a thread of this process while the context is open; `url` says where."""

    def __init__(self, server: _Server, listener: socket.socket, host: str) -> None:
        self._server, self._listener = server, listener
        self._thread = threading.Thread(target=self._run, name="http-server", daemon=True)
        self.url = f"http://{in_address(host)}:{listener.getsockname()[1]}/"

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
        listener = listen(host, port)
        app = build_app(
            feed, _hosts(host), explain=explain, actions=actions, search=search, cards=cards
        )
        super().__init__(_build_server(app), listener, host)


class BackgroundMetrics(_InBackground):
    """Serves what `collector` finds, as metrics; `keys` name what chooses where.

    Raises:
        CannotListenError: another program listens on `port`, or `host` is not of this machine.
    """

    def __init__(self, collector: Collector, host: str, port: int, keys: Keys) -> None:
        listener = listen(host, port, keys)
        super().__init__(_build_server(build_scraped(collector, _hosts(host))), listener, host)


def in_address(host: str) -> str:
    """The host as it stands in the address of a page.

    >>> in_address("127.0.0.1"), in_address("::1")
    ('127.0.0.1', '[::1]')
    """
    return f"[{host}]" if ":" in host else host


def listen(host: str, port: int, keys: Keys = PAGE_KEYS) -> socket.socket:
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
        raise CannotListenError(_why(host, port, keys, error)) from error
    return listener


def _why(host: str, port: int, keys: Keys, error: Exception) -> str:
    if isinstance(error, OverflowError):
        return f"port {port} is none: choose one up to 65535 with {keys.port}"
    reason = error.errno if isinstance(error, OSError) else None
    if reason == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is in use by another program: end that program, or choose "
            f"another port with {keys.port}"
        )
    if reason == errno.EACCES:
        return f"port {port} on {host} is not for this user: choose one above 1023 with {keys.port}"
    return (
        f"host {host!r} is no address of this machine: name one that it has, or 0.0.0.0 for all, "
        f"with {keys.host}"
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
