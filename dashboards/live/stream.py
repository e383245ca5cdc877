"""Server-sent events: every change once, in order, from wherever the browser left off."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from typing import Protocol

import anyio
import msgspec
from sse_starlette import ServerSentEvent

from dashboards.live.state import State, Update

LOG = logging.getLogger(__name__)
POLL_SECONDS = 0.1
UPDATE_SECONDS = 0.1  # at most ten updates a second reach a browser
HEARTBEAT_SECONDS = 10
RETRY_MILLISECONDS = 1000


class Feed(Protocol):
    """Where records come from: a run folder, or topics."""

    state: State

    def poll(self) -> bool:
        """Fold in what is new, without waiting; whether there may be more at once."""

    def is_current(self) -> bool:
        """Whether what was there when this feed began has been folded in."""

    def rendition(self, sha256: str) -> bytes | None:
        """A small JPEG by the content hash of its original, None where there is none."""


class Broadcast:
    """Keeps the state up to date and tells every open stream about it.

    A stream holds no queue: it remembers the id it last sent and asks the state for what came
    after, so a slow or resuming browser misses nothing and costs no memory.
    """

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.state = feed.state
        self.closing = False
        self.stuck = False  # the feed could not be read: what is shown may be old
        self._changed = anyio.Event()

    async def follow(self) -> None:
        """Poll the feed until cancelled; one that cannot be read now is asked again."""
        while True:
            before, was_stuck, more = self.state.id, self.stuck, False
            try:
                more, self.stuck = self.feed.poll(), False
            except OSError as error:
                self.stuck = True
                if not was_stuck:
                    LOG.warning("the page stands still until its files can be read: %s", error)
            except Exception:
                self.stuck = True
                self._wake()
                raise
            if self.state.id != before or self.stuck > was_stuck:
                self._wake()
            await anyio.sleep(0 if more else POLL_SECONDS)

    def close(self) -> None:
        """End every open stream."""
        self.closing = True
        self._wake()

    async def events(self, last_id: str | None) -> AsyncIterator[ServerSentEvent]:
        """Updates since `last_id`, as they come, until closed or stuck: browsers then say so."""
        while not (self.closing or self.stuck):
            changed = self._changed
            if last_id != self.state.id:
                update = self.state.changes(last_id)
                last_id = update.id
                yield _event(update)
                await anyio.sleep(UPDATE_SECONDS)
            else:
                await changed.wait()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


def _event(update: Update) -> ServerSentEvent:
    data = msgspec.json.encode(update).decode()
    return ServerSentEvent(data, event="update", id=update.id, retry=RETRY_MILLISECONDS)


def heartbeat() -> ServerSentEvent:
    """Says that the connection lives; carries no id, so it does not move the resume point."""
    return ServerSentEvent(f"{time.time():.0f}", event="heartbeat")
