"""Why a post on the page was read as it was, asked of whoever serves the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import anyio
import anyio.to_thread
from cachetools import LRUCache

from schemas.records import Exemplar

REMEMBERED = 64
# The page may be no part of another, whatever its own policy says.
ALWAYS = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class ExplanationPage(NamedTuple):
    """A self-contained HTML page, and the content-security policy that it needs."""

    html: str
    policy: str


Explain = Callable[[Exemplar, bytes | None], ExplanationPage]
"""From a post and the rendition of its image, if there is one; takes about a second."""


class Explanations:
    """Explains posts, one at a time, beside the event loop.

    The page knows no model: `explain` is given by the program that serves it, None where it has
    none; `find_rendition` brings the image of a post by its content hash. The last 64 pages are
    remembered.
    """

    def __init__(
        self, explain: Explain | None, find_rendition: Callable[[str], bytes | None]
    ) -> None:
        self._explain, self._find_rendition = explain, find_rendition
        self._pages: LRUCache[Exemplar, ExplanationPage] = LRUCache(REMEMBERED)
        self._lock = anyio.Lock()

    @property
    def offered(self) -> bool:
        """Whether there is somebody to ask."""
        return self._explain is not None

    async def page(self, post: Exemplar) -> ExplanationPage:
        """The page about a post.

        Raises:
            LookupError: nobody can be asked.
        """
        if self._explain is None:
            raise LookupError("no explanations are offered here")
        async with self._lock:
            if post not in self._pages:
                self._pages[post] = await anyio.to_thread.run_sync(
                    self._explain, post, self._rendition(post)
                )
            return self._pages[post]

    def _rendition(self, post: Exemplar) -> bytes | None:
        return self._find_rendition(post.thumbnail) if post.thumbnail else None
